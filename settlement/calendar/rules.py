"""From what finance agreed to dates. Pure: which days banks are open comes from the caller."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from settlement.calendar.model import Convention, CurrencyCalendar, CutOff, Frequency

IsOpen = Callable[[date], bool]
"""Whether banks are open on a day."""

SHUT_DAYS_MAX = 30
"""No bank is shut for longer: a calendar under which one is has a mistake."""
ONE_DAY = timedelta(days=1)
MONTHS = 12


class NeverOpen(Exception):
    """Banks are shut so long that the calendar must be wrong; `day` is where the search began."""

    def __init__(self, day: date) -> None:
        self.day = day
        super().__init__(f"no bank is open within {SHUT_DAYS_MAX} days of {day}")


def adjusted(day: date, convention: Convention, is_open: IsOpen) -> date:
    """Where a day goes when banks are shut on it.

    Raises:
        NeverOpen: there is no open day near.
    """
    if convention is Convention.UNADJUSTED or is_open(day):
        return day
    step = ONE_DAY if convention in {Convention.FOLLOWING, Convention.MODIFIED_FOLLOWING} else -ONE_DAY
    wanted = _open_day(day, step, is_open)
    stays = convention in {Convention.FOLLOWING, Convention.PRECEDING} or wanted.month == day.month
    return wanted if stays else _open_day(day, -step, is_open)


def pay_day(day: date, lag: int, is_open: IsOpen) -> date:
    """So many open days after a day; with none, the day itself or the next open one.

    Raises:
        NeverOpen: there is no open day near.
    """
    day = adjusted(day, Convention.FOLLOWING, is_open)
    for _ in range(lag):
        day = _open_day(day, ONE_DAY, is_open)
    return day


def cut_offs(calendar: CurrencyCalendar, is_open: IsOpen, after: datetime, until: datetime) -> Iterator[CutOff]:
    """Cut-offs after an instant and not after another, oldest first.

    Raises:
        NeverOpen: there is no open day near one of them.
    """
    zone = ZoneInfo(calendar.time_zone)
    # A day may have moved into the span from outside it by as long as banks may be shut.
    room = timedelta(days=SHUT_DAYS_MAX + 1)
    first, last = after.astimezone(zone).date() - room, until.astimezone(zone).date() + room
    found: dict[datetime, CutOff] = {}
    for meant in _days_meant(calendar, is_open, first, last):
        day = adjusted(meant, calendar.convention, is_open)
        at = _instant(day, calendar.cut_off, zone)
        if after < at <= until and at not in found:
            found[at] = CutOff(calendar.currency, at, day, meant, pay_day(day, calendar.pay_lag_days, is_open))
    for at in sorted(found):
        yield found[at]


def next_cut_off(calendar: CurrencyCalendar, is_open: IsOpen, after: datetime) -> CutOff:
    """The first cut-off after an instant.

    Raises:
        NeverOpen: there is no open day near.
    """
    for months in (1, 3):
        for found in cut_offs(calendar, is_open, after, after + timedelta(days=31 * months)):
            return found
    raise NeverOpen(after.date())


def pay_day_when_late(cut_off: CutOff, calendar: CurrencyCalendar, is_open: IsOpen, closed_at: datetime) -> date:
    """When a cut-off is paid whose window was closed late: the lag runs from the day it really was closed.

    Raises:
        NeverOpen: there is no open day near.
    """
    closed_on = closed_at.astimezone(ZoneInfo(calendar.time_zone)).date()
    return pay_day(max(cut_off.day, closed_on), calendar.pay_lag_days, is_open)


def _days_meant(calendar: CurrencyCalendar, is_open: IsOpen, first: date, last: date) -> Iterator[date]:
    """The days the frequency says, before any of them is moved."""
    if calendar.frequency is Frequency.MONTHLY:
        month = first.year * MONTHS + first.month - 1
        while (day := _day_of_month(month, calendar.month_day)) <= last:
            yield day
            month += 1
        return
    day = first
    while day <= last:
        if is_open(day) if calendar.frequency is Frequency.DAILY else day.isoweekday() == calendar.weekday:
            yield day
        day += ONE_DAY


def _day_of_month(month: int, wanted: int) -> date:
    year, index = divmod(month, MONTHS)
    return date(year, index + 1, min(wanted, monthrange(year, index + 1)[1]))


def _instant(day: date, cut_off: str, zone: ZoneInfo) -> datetime:
    """A local time of a day as an instant.

    A time that strikes twice when the clock is put back means the first; one that never strikes when it is put forward
    means as much later, as if the clock had not been touched.
    """
    return datetime.combine(day, time.fromisoformat(cut_off), tzinfo=zone).astimezone(UTC)


def _open_day(day: date, step: timedelta, is_open: IsOpen) -> date:
    """The nearest open day before or after, the day itself left out."""
    for number in range(1, SHUT_DAYS_MAX + 1):
        if is_open(day + step * number):
            return day + step * number
    raise NeverOpen(day)
