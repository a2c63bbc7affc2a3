"""When a currency is cut off and when it is paid: what finance agrees, and one date that comes of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class Frequency(enum.StrEnum):
    """How often a currency is cut off."""

    DAILY = "daily"
    """On every day banks are open."""
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Convention(enum.StrEnum):
    """Where a day goes on which banks are shut."""

    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified_following"
    """To the next open day, unless that lies in another month: then to the last one before."""
    PRECEDING = "preceding"
    MODIFIED_PRECEDING = "modified_preceding"
    """To the last open day before, unless that lies in another month: then to the next."""
    UNADJUSTED = "unadjusted"
    """Nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyCalendar:
    """One settlement currency.

    Attributes:
        currency: ISO 4217 code.
        time_zone: IANA name, in which days begin and the cut-off strikes.
        frequency: how often.
        weekday: for WEEKLY, 1 is Monday and 7 Sunday; else 0.
        month_day: for MONTHLY, 1 to 31; a day the month does not have is its last; else 0.
        cut_off: local time of day, "18:00".
        convention: where a cut-off day goes that banks are shut on.
        pay_lag_days: days banks are open between the cut-off and the payment; 0 pays on the day itself, or the next.
        holidays: books of holidays, by name: "CN", "DE-BY", "market:XECB". Shut in one is shut. None: weekends only.
        closed: days that are shut besides.
        open: days that are open whatever the books say.
    """

    currency: str
    time_zone: str
    frequency: Frequency
    weekday: int = 0
    month_day: int = 0
    cut_off: str
    convention: Convention = Convention.FOLLOWING
    pay_lag_days: int = 0
    holidays: tuple[str, ...] = ()
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Every currency that has a calendar, by code. A currency without one is settled with every window."""

    currencies: tuple[CurrencyCalendar, ...]


class CutOff(NamedTuple):
    """A currency is cut off.

    Attributes:
        currency: ISO 4217 code.
        at: the instant, in UTC.
        day: its day in the currency's time zone.
        meant: the day it would have been had banks been open.
        pay_day: when what it leaves owing is paid.
        kept: whether it stands in the database, and no book of holidays moves it any more.
    """

    currency: str
    at: datetime
    day: date
    meant: date
    pay_day: date
    kept: bool = False
