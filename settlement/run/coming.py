"""What comes into a window: what arose, what was adjusted, what the window before left, what is kept out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from settlement.netting.model import Pair
from settlement.run.model import CarryFigures, Configuration, CurrencyResult, HeldOut


class Fresh(NamedTuple):
    """What a window's obligations sum to for a pair: exact, and how many they are."""

    micros: int
    obligations: int


class Came(NamedTuple):
    """One currency's pairs: what is new, and what came in, parted by whether it takes part in netting."""

    fresh: Mapping[Pair, Fresh]
    held_out: Sequence[HeldOut]
    adjusted: Mapping[Pair, int]
    carried_in: Sequence[CarryFigures]
    held_in: Sequence[CarryFigures]
    entering: Sequence[CarryFigures]
    kept_held: Sequence[CarryFigures]


def came_of(code: str, fresh: Mapping[Pair, Fresh], old: CurrencyResult | None, configuration: Configuration) -> Came:
    """A currency's pairs, with what the window before left; a disputed item waits for its dispute and its parties."""
    carried_in, held_in = (old.carried, old.held_items) if old else ((), ())
    entering, kept = [], []
    for item in (*carried_in, *held_in):
        causes = {*item.parties, *excluded_of(item, configuration)}
        if _is_released(code, item, configuration) and not excluded_of(item, configuration):
            causes = set()
        parties = tuple(sorted(causes))
        if item.dispute and item.dispute not in configuration.disputed.released:
            kept.append(item._replace(because="disputed", parties=parties))
        elif parties:
            kept.append(item._replace(because="excluded", parties=parties, dispute=""))
        else:
            entering.append(item)
    adjusted: dict[Pair, int] = {}
    for one in configuration.disputed.adjustments:
        if one.currency == code:
            adjusted[one.debtor, one.creditor] = adjusted.get((one.debtor, one.creditor), 0) + one.amount
    held_out = [one for one in configuration.disputed.held_out if one.currency == code]
    return Came(fresh, held_out, adjusted, carried_in, held_in, entering, kept)


def _is_released(code: str, item: CarryFigures, configuration: Configuration) -> bool:
    """Whether everybody for whose sake an item is held was released, whole or in what is chosen of it."""
    return all(
        party in configuration.released
        or any(one.participant == party and one.names(code, item) for one in configuration.chosen)
        for party in item.parties
    )


def excluded_of(pair: CarryFigures | Pair, configuration: Configuration) -> list[str]:
    """Which of the two is excluded."""
    return [name for name in pair[:2] if name in configuration.excluded]


def undisputed(came: Came, new: Mapping[Pair, int]) -> list[tuple[Pair, int]]:
    """What arose in this window by pair, less what disputes keep out of it, and what was adjusted."""
    amounts = {pair: new.get(pair, 0) + came.adjusted.get(pair, 0) for pair in new.keys() | came.adjusted.keys()}
    disputed: dict[Pair, int] = {}
    for out in came.held_out:
        pair = (out.debtor, out.creditor)
        amounts[pair] -= out.amount
        disputed[pair] = disputed.get(pair, 0) + out.amount
    over = [pair for pair, amount in disputed.items() if amount > new[pair]]
    assert not over, f"more is disputed than arose: {over}"
    return sorted(amounts.items())
