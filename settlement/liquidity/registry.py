"""Every way of settling what the funds do not reach for, by the name finance types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from settlement.liquidity.divisible import settle_divisible
from settlement.liquidity.model import LiquidityResult, Queue
from settlement.liquidity.pro_rata import settle_pro_rata
from settlement.liquidity.rules import Way, settle
from settlement.liquidity.whole import settle_whole

WHOLE = "whole"
WAYS: Mapping[str, Way] = {
    WHOLE: settle_whole,
    "divisible": settle_divisible,
    "pro-rata": settle_pro_rata,
}


def settle_all(queues: Sequence[Queue], way: str) -> list[LiquidityResult]:
    """Settle each currency by itself; funds in one never pay in another."""
    return [settle(queue, WAYS[way], divided=way != WHOLE) for queue in queues]
