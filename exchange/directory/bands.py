"""Return-rate bands: how much points may be worth against the money they were earned by. Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from exchange.directory.model import Currency, EarnRule, ReturnBand
from exchange.money.currencies import micros_per_minor
from exchange.money.limits import BASIS_POINTS


class Sector(enum.IntEnum):
    """What trade a merchant is in; numbered as `exchange.v1.ReturnBand.Sector`."""

    TELECOM = 1
    AIRLINE = 2
    CARD = 3
    OTHER = 4


class BandAction(enum.IntEnum):
    """What is done above the band; numbered as `exchange.v1.ReturnBand.Action`."""

    IGNORE = 1
    WARN = 2
    REFUSE = 3


DEFAULT_BPS = {Sector.TELECOM: 300, Sector.AIRLINE: 1_000, Sector.CARD: 200}
"""What is usual in a trade, basis points of the money spent; of any other trade somebody must say it."""


_RATE_MAX = 2**31 - 1
"""As the wire can tell it; nobody needs to know how far beyond."""


class OverBand(NamedTuple):
    """Points are worth more than the band allows, basis points of the money spent; rounded up."""

    rate_bps: int
    max_bps: int
    is_refused: bool


def band_at(bands: Sequence[ReturnBand], at: datetime) -> ReturnBand | None:
    """The band in force at an instant; `bands` oldest first."""
    return next((band for band in reversed(bands) if band.effective_at <= at), None)


def judged(rule: EarnRule, currency: Currency, bands: Sequence[ReturnBand], at: datetime) -> OverBand | None:
    """Whether an earn rule gives more than its merchant's band allows, at an instant; None: it does not.

    What its points are worth is their redeem price; bonuses of promotions are others' money and not counted. The rule's
    own ratio is judged, so that what a member had carried does not make one award look dearer than another.
    """
    band = band_at(bands, at)
    if band is None or band.action == BandAction.IGNORE:
        return None
    worth = rule.points_units * currency.price_at(at, "redeem").redeem_micros * BASIS_POINTS
    spent = rule.per_minor_units * micros_per_minor(currency.settlement_currency)
    if worth <= band.max_bps * spent:
        return None
    return OverBand(min(-(-worth // spent), _RATE_MAX), band.max_bps, band.action == BandAction.REFUSE)
