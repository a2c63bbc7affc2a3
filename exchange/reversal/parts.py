"""How much of a transfer a reversal mirrors: of its points, and of the bonuses beside them."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.ledger.bonuses import GivenBonus
from exchange.refusals import ReversalExceeds
from exchange.reversal.model import Retained, Reverse

Back = list[tuple[GivenBonus, int]]
"""Bonuses of the original, and how many points of each go back."""


def part_of(command: Reverse, total: int, done: int, name: str) -> int:
    """How many points this reversal mirrors; none when a small return changes nothing that a whole point could tell.

    Raises:
        ReversalExceeds: more than is left, or a share that keeps more than is left.
    """
    left = total - done
    if command.units is not None:
        if command.units > left:
            raise ReversalExceeds(transfer=name, left=left, requested=command.units)
        return command.units
    if command.retained is not None:
        entitled = total * command.retained.kept // command.retained.total
        if entitled > left:
            raise ReversalExceeds(transfer=name, left=left, requested=entitled)
        return left - entitled
    return left


def bonuses_back(command: Reverse, bonuses: Sequence[GivenBonus], total: int, done: int) -> Back:
    """How many points of each bonus go back: as many as do not belong to the share that is kept.

    Args:
        command: how much is reversed.
        bonuses: of the original.
        total: points of the original itself.
        done: how many of those were reversed before.
    """
    kept = command.retained or Retained(0, 1)
    if command.units is not None:
        kept = Retained(total - done - command.units, total)
    return [(bonus, max(bonus.left - bonus.units * kept.kept // kept.total, 0)) for bonus in bonuses]
