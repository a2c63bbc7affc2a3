"""Which days banks are open: the only place that asks the library of holidays."""

from __future__ import annotations

import re
import threading
from datetime import date
from functools import lru_cache
from typing import Any

from settlement.calendar.model import CurrencyCalendar
from settlement.calendar.rules import IsOpen

# A book fills in a year when it is first asked about it; a second thread would find the year half filled.
_READING = threading.Lock()
MARKET = "market:"
NAME = re.compile(r"market:[A-Z0-9]{2,8}|[A-Z]{2}(-[A-Z0-9]{1,4})?")
SATURDAY = 6


class UnknownBook(Exception):
    """There is no book of holidays of this name."""


def is_open_by(calendar: CurrencyCalendar) -> IsOpen:
    """Whether banks are open on a day, by a currency's books and its own additions.

    Raises:
        UnknownBook: the calendar names one that there is not.
    """
    books = [book(name) for name in calendar.holidays]
    opened, closed = frozenset(calendar.open), frozenset(calendar.closed)

    def is_open(day: date) -> bool:
        if day in opened or day in closed:
            return day in opened
        if not books:
            return day.isoweekday() < SATURDAY
        # Weekends are the country's own, and some are worked to make up for a holiday.
        with _READING:
            return all(one.is_working_day(day) for one in books)

    return is_open


@lru_cache(maxsize=64)
def book(name: str) -> Any:
    """A book of holidays: of a country, of a part of it, or of a market.

    Raises:
        UnknownBook: there is none of this name.
    """
    if NAME.fullmatch(name) is None:
        raise UnknownBook(name)
    # Reads a book for each country: only who works with dates pays for it.
    import holidays

    try:
        if name.startswith(MARKET):
            return holidays.financial_holidays(name.removeprefix(MARKET))
        country, _, part = name.partition("-")
        return holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        raise UnknownBook(name) from None


def edition() -> str:
    """Which release of the library the dates come from, for the record."""
    from importlib.metadata import version

    return f"holidays {version('holidays')}"
