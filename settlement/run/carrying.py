"""How old what is carried is, and when it has grown too old to wait. Pure.

What is offset or paid is taken from the oldest first, so what is left unpaid is the newest part of what was owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from settlement.netting.model import Carry, NettingResult, Pair
from settlement.run.model import CarryFigures


class Age(NamedTuple):
    """When something was first left unpaid: by window, and by the day that window was cut off."""

    window: int
    day: str

    def days(self, until: date) -> int:
        """How many days ago that was."""
        return (until - date.fromisoformat(self.day)).days


Lots = dict[Age, int]
"""Amounts by age."""


class Owed(NamedTuple):
    """What every directed pair owes by age, before netting."""

    pairs: Mapping[Pair, Lots]

    def of_pair(self, pair: Pair) -> Lots:
        """What one owes another."""
        return self.pairs.get(pair, {})

    def of_participant(self, name: str, *, as_debtor: bool) -> Lots:
        """What somebody owes, or is owed, whoever the other is."""
        found: Lots = {}
        for pair, lots in self.pairs.items():
            if pair[0 if as_debtor else 1] == name:
                for age, amount in lots.items():
                    found[age] = found.get(age, 0) + amount
        return found


def aged(netted: NettingResult, owed: Owed) -> list[CarryFigures]:
    """What a netting carries, each item by age; in the order of the netting's items, the oldest part first."""
    return [
        CarryFigures(*pair, amount, age.window, age.day, "minimum")
        for pair, lots in _lots_of_items(netted, owed)
        for age, amount in sorted(lots.items())
    ]


def too_old(netted: NettingResult, owed: Owed, until: date, days_max: int) -> frozenset[Pair]:
    """Carried items of which some part has waited as long as it may."""
    return frozenset(
        pair for pair, lots in _lots_of_items(netted, owed) if any(age.days(until) >= days_max for age in lots)
    )


def _lots_of_items(netted: NettingResult, owed: Owed) -> Iterator[tuple[Pair, Lots]]:
    """What each carried item is made of.

    Where pairs are netted by themselves it is what the pair owed. Where positions are, it is what the participant owed
    or was owed in all; a debtor with several items has its oldest part in the first of them.
    """
    taken: dict[tuple[str, bool], int] = {}
    for item in netted.carried:
        pair = (item.debtor, item.creditor)
        if not netted.by_position:
            yield pair, newest(owed.of_pair(pair), item.amount)
            continue
        whose, as_debtor = _side(item, netted.clearing_account)
        carried = [one.amount for one in netted.carried if _side(one, netted.clearing_account) == (whose, as_debtor)]
        kept = newest(owed.of_participant(whose, as_debtor=as_debtor), sum(carried))
        before = taken.get((whose, as_debtor), 0)
        taken[whose, as_debtor] = before + item.amount
        yield pair, _slice(kept, before, item.amount)


def _side(item: Carry, clearing_account: str | None) -> tuple[str, bool]:
    """Whose position an item is carried for, and whether that owes: the participant, never the clearing account."""
    if item.debtor == clearing_account:
        return item.creditor, False
    return item.debtor, True


def newest(lots: Lots, amount: int) -> Lots:
    """The newest so much of it."""
    total = sum(lots.values())
    assert amount <= total, f"{amount} of {total} cannot be left"
    return _slice(lots, total - amount, amount)


def _slice(lots: Lots, skipped: int, amount: int) -> Lots:
    """From the oldest on: pass over so much, then take so much."""
    found: Lots = {}
    for age in sorted(lots):
        passed = min(skipped, lots[age])
        skipped -= passed
        part = min(lots[age] - passed, amount)
        amount -= part
        if part:
            found[age] = part
    return found


def waiting(owed: Owed) -> list[CarryFigures]:
    """Everything, pair by pair as it is owed: its currency has no cut-off in this window."""
    return [
        CarryFigures(*pair, amount, age.window, age.day, "not_due")
        for pair, lots in sorted(owed.pairs.items())
        for age, amount in sorted(lots.items())
    ]


def lots_of(items: Iterable[CarryFigures]) -> dict[Pair, Lots]:
    """Items by pair and age."""
    found: dict[Pair, Lots] = {}
    for item in items:
        lots = found.setdefault((item.debtor, item.creditor), {})
        age = Age(item.since_window, item.since)
        lots[age] = lots.get(age, 0) + item.amount
    return found


def total(items: Sequence[CarryFigures], pair: Pair) -> int:
    """What a pair's items sum to."""
    return sum(item.amount for item in items if (item.debtor, item.creditor) == pair)
