"""The one written form of what can settle now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from settlement.liquidity.model import LiquidityResult


def to_json(results: Iterable[LiquidityResult]) -> str:
    """Currencies and participants in name order, items in the queue's; ends in a newline."""
    return json.dumps({r.currency: to_plain(r) for r in results}, ensure_ascii=False, indent=2) + "\n"


def to_plain(result: LiquidityResult) -> dict[str, Any]:
    """One currency as plain values: items taken whole are a list of ids, divided ones id to amount.

    `bound` is told where the best is not proven: what settles at the very most.
    """
    plain = {
        "gross": result.gross,
        "settled_value": result.settled_value,
        "settled": dict(result.settled) if result.divided else list(result.settled),
        "unsettled": dict(result.unsettled) if result.divided else list(result.unsettled),
        "balances": dict(result.balances),
        "optimal": result.optimal,
    }
    return plain if result.optimal else plain | {"bound": result.ceiling}
