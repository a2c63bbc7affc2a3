"""Minor units as banks write amounts: decimal, with the currency's own number of places."""

from __future__ import annotations

from decimal import Decimal

from exchange.money.currencies import MINOR_EXPONENT


def decimal_of(minor_units: int, currency: str) -> Decimal:
    """131755 fen are Decimal("1317.55"); exact, with all places written."""
    sign = 0 if minor_units >= 0 else 1
    return Decimal((sign, tuple(map(int, str(abs(minor_units)))), -MINOR_EXPONENT[currency]))


def plain(minor_units: int, currency: str) -> str:
    """The same as text, never with an exponent."""
    return f"{decimal_of(minor_units, currency):f}"


def minor_units_of(amount: Decimal, currency: str) -> int | None:
    """What a bank wrote in minor units; None where it is finer than the currency is, or no currency of ours."""
    places = MINOR_EXPONENT.get(currency)
    if places is None or not amount.is_finite():
        return None
    scaled = amount.scaleb(places)
    return int(scaled) if scaled == scaled.to_integral_value() else None
