"""Breakage income by the proportional method. Pure, exact: ratios of whole numbers, rounded once, at the cumulative.

Of the value I given out, a share b is expected never to be used: B = I x b. While U of the I - B that will be used has
been, the same proportion of B is income: B x U / (I - B), never more than B, never less than what has already expired,
and never more than what is not used. A new estimate is applied to everything so far at once: the difference is the
catch-up of the window it begins in, shown apart from what the window itself earned.
"""

from __future__ import annotations

from collections.abc import Sequence

from exchange.money.limits import BASIS_POINTS
from exchange.money.rounding import half_up
from settlement.breakage.model import Estimate, Recognition, Usage


def recognised(issued: int, used: int, expired: int, expected_bps: int) -> int:
    """Cumulative income on cumulative figures, micro-units."""
    assert 0 <= expected_bps < BASIS_POINTS, "nobody issues points of which none is ever used"
    unused = max(issued - used, 0)
    if issued <= 0:
        return min(max(expired, 0), unused)
    # B / (I - B) = bps / (10 000 - bps): the issued value cancels out.
    expected = half_up(issued * expected_bps, BASIS_POINTS)
    proportional = half_up(max(used, 0) * expected_bps, BASIS_POINTS - expected_bps)
    return min(max(min(proportional, expected), expired), unused)


def in_force(estimates: Sequence[Estimate], window_no: int) -> Estimate | None:
    """The confirmed estimate a window is under: the newest version that has begun; None: there is none yet."""
    begun = [one for one in estimates if one.confirmed_person is not None and one.from_window <= window_no]
    return max(begun, key=lambda one: one.version, default=None)


def recognitions(usages: Sequence[Usage], estimates: Sequence[Estimate]) -> list[Recognition]:
    """Every window's income, in the order of the windows, which have no gap."""
    found: list[Recognition] = []
    issued = used = expired = cumulative = 0
    for usage in usages:
        estimate = in_force(estimates, usage.window_no)
        bps = estimate.expected_bps if estimate else 0
        anew = recognised(issued, used, expired, bps)
        issued += usage.issued - usage.taken_back
        used += usage.used - usage.given_back
        expired += usage.expired
        total = recognised(issued, used, expired, bps)
        found.append(
            Recognition(
                window_no=usage.window_no,
                version=estimate.version if estimate else None,
                expected_bps=bps,
                issued=issued,
                used=used,
                expired=expired,
                recognised=max(total - anew, 0),
                withdrawn=max(anew - total, 0),
                catch_up_recognised=max(anew - cumulative, 0),
                catch_up_withdrawn=max(cumulative - anew, 0),
                cumulative=total,
                remaining=max(issued - used - total, 0),
            )
        )
        cumulative = total
    return found
