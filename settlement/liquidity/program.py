"""What is left to choose among whole items once everything that is certain is settled or put aside.

Three things need no search. Who can pay all it owes without receiving anything pays all of it. What is more than its
debtor has and could ever receive never settles. And debtors none of whose items reach another short debtor have nothing
to do with each other: each such part of the queue is a choice of its own, in the largest unit its amounts share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from settlement.liquidity.divisible import most_by_pair, pair_totals
from settlement.netting.model import Obligation


@dataclass(frozen=True, slots=True)
class Limit:
    """What a debtor pays less what it receives may not exceed what it has.

    weights: by number of the lot, what one item of it takes from the debtor; negative where the debtor receives.
    """

    debtor: str
    weights: Mapping[int, int]
    at_most: int


@dataclass(frozen=True, slots=True)
class Program:
    """Of each lot, how many items settle? Amounts and limits are multiples of `unit` minor units.

    lots: items of one debtor, creditor and amount; as they are alike, the first by id settle first.
    ceiling: no choice is worth more, in units: parts of items could not settle more either.
    """

    lots: Sequence[Sequence[Obligation]]
    amounts: Sequence[int]
    limits: Sequence[Limit]
    unit: int
    ceiling: int

    def value(self, counts: Sequence[int]) -> int:
        """What a choice settles, in units."""
        return sum(amount * count for amount, count in zip(self.amounts, counts, strict=True))

    def allows(self, counts: Sequence[int]) -> bool:
        """Whether a choice leaves nobody below zero, by plain addition."""
        return all(0 <= count <= len(lot) for lot, count in zip(self.lots, counts, strict=True)) and all(
            sum(weight * counts[lot] for lot, weight in limit.weights.items()) <= limit.at_most for limit in self.limits
        )

    def items(self, counts: Sequence[int]) -> list[Obligation]:
        """The items a choice settles."""
        return [item for lot, count in zip(self.lots, counts, strict=True) for item in lot[:count]]


def prepare(items: Sequence[Obligation], funds: Mapping[str, int]) -> tuple[list[Obligation], list[Program]]:
    """The items that settle in some best choice whatever becomes of the rest, and what is to be chosen among.

    The order of the items makes no difference to either, if they have ids.

    Raises:
        AmountsTooLarge: the items to be chosen among sum to more than the solver can take.
    """
    certain: list[Obligation] = []
    waiting = sorted(items, key=lambda item: (item.debtor, item.creditor, item.amount, item.id))
    has = dict(funds)
    while True:
        owes, due = _sums(waiting)
        solvent = {debtor for debtor, owed in owes.items() if owed <= has.get(debtor, 0)}
        sure = [item for item in waiting if item.debtor in solvent]
        reach = {debtor: has.get(debtor, 0) + due.get(debtor, 0) for debtor in owes.keys() - solvent}
        open_still = [item for item in waiting if item.amount <= reach.get(item.debtor, 0)]
        for item in sure:
            has[item.debtor] -= item.amount
            has[item.creditor] = has.get(item.creditor, 0) + item.amount
        certain += sure
        if len(open_still) == len(waiting):
            return certain, [_program(part, has) for part in _parts(waiting)]
        waiting = open_still


def _sums(items: Iterable[Obligation]) -> tuple[dict[str, int], dict[str, int]]:
    """What everybody owes, and what is due to everybody."""
    owes: dict[str, int] = {}
    due: dict[str, int] = {}
    for item in items:
        owes[item.debtor] = owes.get(item.debtor, 0) + item.amount
        due[item.creditor] = due.get(item.creditor, 0) + item.amount
    return owes, due


def _parts(items: Sequence[Obligation]) -> list[list[Obligation]]:
    """The items split so that no debtor in one part receives from another; parts and items in the order given."""
    debtors = {item.debtor for item in items}
    part = {debtor: debtor for debtor in debtors}

    def named(debtor: str) -> str:
        while part[debtor] != debtor:
            part[debtor] = part[part[debtor]]
            debtor = part[debtor]
        return debtor

    for item in items:
        if item.creditor in debtors:
            part[named(item.creditor)] = named(item.debtor)
    parts: dict[str, list[Obligation]] = {}
    for item in items:
        parts.setdefault(named(item.debtor), []).append(item)
    return list(parts.values())


def _program(items: Sequence[Obligation], funds: Mapping[str, int]) -> Program:
    unit = gcd(*(item.amount for item in items))
    alike: dict[tuple[str, str, int], list[Obligation]] = {}
    for item in items:
        alike.setdefault((item.debtor, item.creditor, item.amount), []).append(item)
    weights: dict[str, dict[int, int]] = {debtor: {} for debtor, _, _ in alike}
    for number, (debtor, creditor, amount) in enumerate(alike):
        weights[debtor][number] = amount // unit
        if creditor in weights:
            weights[creditor][number] = -(amount // unit)
    limits = [Limit(debtor, theirs, funds.get(debtor, 0) // unit) for debtor, theirs in weights.items()]
    return Program(
        lots=list(alike.values()),
        amounts=[amount // unit for _, _, amount in alike],
        limits=limits,
        unit=unit,
        ceiling=sum(most_by_pair(pair_totals(items), funds).values()) // unit,
    )
