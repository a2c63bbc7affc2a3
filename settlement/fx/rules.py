"""The arithmetic of converting, and what makes a set of rates one that can be used. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from exchange.money.currencies import MINOR_EXPONENT
from exchange.money.limits import INT64_MAX
from exchange.money.rounding import half_up
from exchange.refusals import AmountOverflow
from settlement.fx.model import Converted, Cross, FxRate, FxSet, Sides

NAME = re.compile("[a-z0-9][a-z0-9-]{0,62}")
SOURCE_CHARS_MAX = 128
RATES_MAX = 1_000
VERSION_MAX = 2**31 - 1


def exchanged(minor_units: int, from_currency: str, to_currency: str, cross: Cross) -> int:
    """Minor units of one currency in minor units of another, half up; exact until that one rounding.

    Raises:
        AmountOverflow: it does not fit 64 bits.
    """
    assert minor_units >= 0, f"{minor_units} is owed by nobody"
    amount = minor_units * cross.numerator * 10 ** MINOR_EXPONENT[to_currency]
    found = half_up(amount, cross.denominator * 10 ** MINOR_EXPONENT[from_currency])
    if found > INT64_MAX:
        raise AmountOverflow(figure="converted", currency=to_currency, minor_units=minor_units)
    return found


def converted(
    participant: str, from_currency: str, into_currency: str, owed: Sides, items: Sides, cross: Cross
) -> Converted:
    """A participant's position both ways.

    Args:
        participant: whose.
        from_currency: of `owed`.
        into_currency: of `items`.
        owed: what it is owed and owes.
        items: the same, each item converted by itself.
        cross: the ratio.

    Raises:
        AmountOverflow: the position does not fit 64 bits, or what its items come to.
    """
    position = exchanged(abs(owed.net), from_currency, into_currency, cross)
    if abs(items.net) > INT64_MAX:
        raise AmountOverflow(figure="converted", currency=into_currency, minor_units=abs(owed.net))
    return Converted(
        participant,
        from_currency,
        into_currency,
        *owed,
        *items,
        position if owed.net > 0 else 0,
        position if owed.net < 0 else 0,
        cross.numerator,
        cross.denominator,
        cross.via,
    )


def problems(fx: FxSet) -> Iterator[tuple[str, str]]:
    """What is wrong with a set, by the field it is wrong in: nothing, when it can be proposed and used."""
    if not NAME.fullmatch(fx.name):
        yield "name", 'is not of 1 to 63 of a-z, 0-9 and "-", such as "month-end"'
    if not 1 <= fx.version <= VERSION_MAX:
        yield "version", f"is not from 1 to {VERSION_MAX}"
    if fx.base and fx.base not in MINOR_EXPONENT:
        yield "base_currency_code", "is no ISO 4217 currency"
    if not fx.rates:
        yield "rates", "is required"
    if len(fx.rates) > RATES_MAX:
        yield "rates", f"has more than {RATES_MAX}"
        return
    ways: set[tuple[str, str]] = set()
    for place, one in enumerate(fx.rates):
        yield from ((f"rates[{place}].{name}", problem) for name, problem in _problems_of(one))
        if one[:2] in ways:
            yield f"rates[{place}].to_currency_code", "is that of another rate of the same way"
        ways.add(one[:2])


def _problems_of(one: FxRate) -> Iterator[tuple[str, str]]:
    for field, code in (("from_currency_code", one.from_currency), ("to_currency_code", one.to_currency)):
        if code not in MINOR_EXPONENT:
            yield field, "is no ISO 4217 currency" if code else "is required"
    if one.from_currency == one.to_currency:
        yield "to_currency_code", "is the currency it comes from"
    for field, figure in (("numerator", one.numerator), ("denominator", one.denominator)):
        if not 1 <= figure <= INT64_MAX:
            yield field, f"is not from 1 to {INT64_MAX}"
    if not one.source.strip() or len(one.source) > SOURCE_CHARS_MAX or not one.source.isprintable():
        yield "source", f"is not of 1 to {SOURCE_CHARS_MAX} printable characters"
    if not _is_day(one.as_of):
        yield "as_of_date", 'is no date like "2026-12-31"'


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
