"""What a reversal of an earn by spend gives back beside points: the money spent, and what of it is carried."""

from __future__ import annotations

from typing import NamedTuple

from exchange.directory.model import EarnRule
from exchange.ledger.model import Progress, Spend, Transfer
from exchange.money.limits import INT64_MAX
from exchange.money.rounding import ceil_ratio
from exchange.refusals import AmountOverflow
from exchange.reversal.model import Reverse


class GivenBack(NamedTuple):
    """What a reversal notes, and how far all reversals of the original have gone with it; minor units."""

    spend: Spend
    returned_minor: int
    uncarried_minor: int


def give_back(
    command: Reverse, original: Transfer, total: int, progress: Progress, rule: EarnRule, carried: int
) -> GivenBack:
    """The mirror of what a spend did to the member's carry: money spent = money that made points + carry, always.

    Args:
        command: how much is reversed.
        original: the earn by spend.
        total: points it made, maybe none.
        progress: how far it was reversed before.
        rule: of the original.
        carried: the member's carry under the rule, which later spends may have made points of: then it falls below
            zero, and the next spends make up for that first.

    Raises:
        AmountOverflow: the carry would pass 64 bits.
    """
    spent = original.spend_minor or 0
    kept_points, kept_spend = _kept(command, total, spent, progress.done_units)
    returned = spent - kept_spend
    if returned <= progress.returned_minor:
        return GivenBack(Spend(rule.rule_id, 0, carried), progress.returned_minor, progress.uncarried_minor)
    uncarried = 0
    if rule.carry_remainder:
        added = _carry_of(spent, total, rule)
        uncarried = added - _carry_of(kept_spend, kept_points, rule)
        carried -= uncarried - progress.uncarried_minor
        if abs(carried) > INT64_MAX:
            raise AmountOverflow(figure="carried spend", rule=rule.name)
    return GivenBack(Spend(rule.rule_id, returned - progress.returned_minor, carried), returned, uncarried)


def _carry_of(spent: int, points: int, rule: EarnRule) -> int:
    """What money adds to the carry beside the points it is counted for; below zero when it completed carried spend."""
    return spent - points * rule.per_minor_units // rule.points_units


def _kept(command: Reverse, total: int, spent: int, done: int) -> tuple[int, int]:
    """Points and money of the original that the member keeps."""
    if command.retained is not None:
        share, whole = command.retained
        return total * share // whole, ceil_ratio(spent, share, whole)
    if command.units is not None:
        kept = total - done - command.units
        return kept, ceil_ratio(spent, kept, total)
    return 0, 0
