"""The calendar at work: when the open window is due, and what a window was cut off for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.calendar.books import is_open_by
from settlement.calendar.model import Calendar, CurrencyCalendar, CutOff
from settlement.calendar.rules import cut_offs, next_cut_off, pay_day, pay_day_when_late
from settlement.proposals import content
from settlement.proposals.model import Kind
from settlement.proposals.standing import standing
from settlement.run.asked import Due
from settlement.windows import sql


class WindowCutOff(NamedTuple):
    """What a window was cut off for, by currency; `at` None: off the calendar, by special leave."""

    currency: str
    at: datetime | None
    pay_day: date


async def calendar_in_force(connection: AsyncConnection) -> tuple[UUID, Calendar] | None:
    """The calendar, with the proposal that brought it; None: windows are closed when somebody closes them."""
    return await standing(connection, Calendar)


def due_at(calendar: Calendar, opened_at: datetime) -> datetime | None:
    """When a window that was opened at an instant is due: with the first cut-off of any currency."""
    firsts = [next_cut_off(one, is_open_by(one), opened_at).at for one in calendar.currencies]
    return min(firsts, default=None)


def upcoming(calendar: Calendar, after: datetime, count: int) -> list[CutOff]:
    """The next so many cut-offs of each currency, oldest first."""
    found: list[CutOff] = []
    for one in calendar.currencies:
        is_open, at = is_open_by(one), after
        for _ in range(count):
            found.append(next_cut_off(one, is_open, at))
            at = found[-1].at
    return sorted(found, key=lambda cut_off: (cut_off.at, cut_off.currency))


def reached(calendar: Calendar, opened_at: datetime, closed_at: datetime) -> list[WindowCutOff]:
    """The currencies that were cut off while a window was open, each by its last cut-off in it."""
    found = []
    for one in calendar.currencies:
        is_open = is_open_by(one)
        last = max(cut_offs(one, is_open, opened_at, closed_at), key=lambda cut_off: cut_off.at, default=None)
        if last is not None:
            found.append(WindowCutOff(one.currency, last.at, pay_day_when_late(last, one, is_open, closed_at)))
    return found


def by_leave(
    calendar: Calendar, currencies: Sequence[str], closed_at: datetime, due: Sequence[WindowCutOff]
) -> list[WindowCutOff]:
    """Currencies settled off the calendar: paid as if this were their cut-off. Those that are due are left out."""
    known: Mapping[str, CurrencyCalendar] = {one.currency: one for one in calendar.currencies}
    names = sorted({*currencies} & known.keys() - {one.currency for one in due})
    return [WindowCutOff(name, None, _pay_day(known[name], closed_at)) for name in names]


def _pay_day(one: CurrencyCalendar, closed_at: datetime) -> date:
    return pay_day(closed_at.astimezone(ZoneInfo(one.time_zone)).date(), one.pay_lag_days, is_open_by(one))


async def cut_offs_of(connection: AsyncConnection, least: int, most: int) -> dict[int, list[WindowCutOff]]:
    """What windows were cut off for, by number."""
    found: dict[int, list[WindowCutOff]] = {}
    for window_no, *one in await connection.execute(sql.CUT_OFFS, {"least": least, "most": most}):
        found.setdefault(window_no, []).append(WindowCutOff(*one))
    return found


async def due_of(connection: AsyncConnection, window_no: int) -> Due:
    """Which currencies a closed window settles, and when: as was fixed when it was closed."""
    row = (await connection.execute(sql.CALENDAR_OF, {"window_no": window_no})).first()
    if row is None:
        return Due({}, ())
    calendar = content.read(Kind.CALENDAR, row.content)
    assert isinstance(calendar, Calendar)
    present = (await cut_offs_of(connection, window_no, window_no)).get(window_no, [])
    pay_days = {one.currency: one.pay_day for one in present}
    waiting = sorted({one.currency for one in calendar.currencies} - pay_days.keys())
    return Due(pay_days, tuple(waiting))
