"""What a conversion used and came to, as plain values in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from settlement.fx.model import Converted, FxSet


def to_plain(fx: FxSet, basis: str, positions: Sequence[Converted]) -> dict[str, Any]:
    """The set, the ratios used, and every position both ways; a net, and a difference, have the sign of `nets`."""
    ratios = {
        (one.from_currency, one.into_currency): (one.numerator, one.denominator, one.via)
        for one in positions
        if one.denominator
    }
    return {
        "set": fx.name,
        "version": fx.version,
        "basis": basis,
        "rates": [
            {"from": way[0], "to": way[1], "numerator": ratio[0], "denominator": ratio[1], "via": ratio[2]}
            for way, ratio in sorted(ratios.items())
        ],
        "positions": [
            {
                "participant": one.participant,
                "currency": one.from_currency,
                "net": one.net,
                "per_item": one.per_item,
                "per_position": one.per_position,
                "difference": one.difference,
            }
            for one in positions
        ],
    }
