"""Amounts as people write them."""

from __future__ import annotations

from exchange.money.currencies import MINOR_EXPONENT


def money_text(minor_units: int, currency_code: str) -> str:
    """Minor units with thousands and decimals: -12 345 fen are "-123.45"."""
    exponent = MINOR_EXPONENT[currency_code]
    sign = "-" if minor_units < 0 else ""
    whole, rest = divmod(abs(minor_units), 10**exponent)
    return f"{sign}{whole:,}.{rest:0{exponent}}" if exponent else f"{sign}{whole:,}"
