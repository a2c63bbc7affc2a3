"""Every way of settling what the funds do not reach for, by the name finance types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from settlement.liquidity.divisible import settle_divisible
from settlement.liquidity.model import LiquidityResult, Queue
from settlement.liquidity.pro_rata import settle_pro_rata
from settlement.liquidity.rules import Way, settle
from settlement.liquidity.whole import USUAL, settle_whole

WHOLE = "whole"
WAYS: Mapping[str, Way] = {
    WHOLE: settle_whole,
    "divisible": settle_divisible,
    "pro-rata": settle_pro_rata,
}


def settle_all(queues: Sequence[Queue], way: str, effort: int = 1) -> list[LiquidityResult]:
    """Settle each currency by itself; funds in one never pay in another.

    effort: how many times the usual effort a proof is worth for whole items; the other ways need none.
    """
    chosen = partial(settle_whole, effort=USUAL.times(effort)) if way == WHOLE else WAYS[way]
    return [settle(queue, chosen, divided=way != WHOLE) for queue in queues]
