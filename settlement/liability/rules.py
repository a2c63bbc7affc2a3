"""The roll-forward of points liability: opening + issued + in - redeemed - out - expired = closing. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from settlement.liability.model import NOTHING, Figure, Holding, Movement, Owner, Roll

USES = frozenset({"redeem", "discount", "campaign", "cash_out", "capture"})
ENDS = frozenset({"expire", "void"})
BOTH_WAYS = {
    "earn": ("issued", "repaid"),
    "convert": ("converted_in", "converted_out"),
    "conversion_completed": ("converted_in", "converted_out"),
    "reversal": ("given_back", "taken_back"),
}
"""Kinds whose two sides mean two things: what goes into lots, and what leaves them."""


def classified(movement: Movement) -> list[tuple[str, Figure]]:
    """What a movement is called in the roll-forward. A kind nobody knows here is "added" or "removed": all ties."""
    added = Figure(movement.added, movement.added_micros)
    removed = Figure(movement.removed, movement.removed_micros)
    if movement.kind in BOTH_WAYS:
        rise, fall = BOTH_WAYS[movement.kind]
        return _nonzero([(rise, added), (fall, removed)])
    if movement.kind in USES | ENDS and removed.units >= added.units:
        # A capture gives the rest of its hold back in the same movement: only the difference was used.
        return _nonzero([("redeemed" if movement.kind in USES else "expired", removed.less(added))])
    if movement.kind in {"hold", "release", "conversion_begun"} and removed.units >= added.units:
        # What was reserved stays the issuer's debt; what a member owed is paid from what comes back.
        return _nonzero([("repaid", removed.less(added))])
    return _nonzero([("added", added), ("removed", removed)])


def roll_forward(
    before: Iterable[Movement], within: Iterable[Movement], after: Iterable[Movement], now: Iterable[Holding]
) -> list[Roll]:
    """Roll every owner's liability over the windows `within`, by currency, issuer and funder.

    Args:
        before: movements of all earlier windows.
        within: of the windows asked about.
        after: of all later ones, the open one included.
        now: what lies in the lots, in the same snapshot as `after`.
    """
    rolls: dict[Owner, Roll] = {}

    def roll_of(owner: Owner, money: str) -> Roll:
        return rolls.setdefault(owner, Roll(owner, money))

    for one in before:
        roll = roll_of(one.owner, one.money)
        roll.opening = roll.opening.plus(Figure(one.added, one.added_micros)).less(
            Figure(one.removed, one.removed_micros)
        )
    for one in within:
        roll = roll_of(one.owner, one.money)
        for name, figure in classified(one):
            roll.figures[name] = roll.of(name).plus(figure)
    in_ledger = {holding.owner: Figure(holding.units, holding.micros) for holding in now}
    for one in after:
        there = in_ledger.get(one.owner, NOTHING)
        changed = Figure(one.added, one.added_micros).less(Figure(one.removed, one.removed_micros))
        in_ledger[one.owner] = there.less(changed)
    for owner, figure in in_ledger.items():
        if owner in rolls or figure != NOTHING:
            roll_of(owner, "").in_ledger = figure
    return [rolls[owner] for owner in sorted(rolls)]


def _nonzero(figures: list[tuple[str, Figure]]) -> list[tuple[str, Figure]]:
    return [(name, figure) for name, figure in figures if figure != NOTHING]
