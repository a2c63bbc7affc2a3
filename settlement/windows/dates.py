"""The calendar at work: when the open window is due, and what a window was cut off for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.calendar.books import is_open_by
from settlement.calendar.model import Calendar, CurrencyCalendar, CutOff
from settlement.calendar.rules import pay_day, pay_day_when_late
from settlement.proposals import content
from settlement.proposals.model import Kind
from settlement.proposals.standing import standing
from settlement.run.asked import Due
from settlement.windows import kept, sql


class WindowCutOff(NamedTuple):
    """What a window was cut off for, by currency; `at` None: off the calendar, by special leave."""

    currency: str
    at: datetime | None
    pay_day: date


async def calendar_in_force(connection: AsyncConnection) -> tuple[UUID, Calendar] | None:
    """The calendar, with the proposal that brought it; None: windows are closed when somebody closes them."""
    return await standing(connection, Calendar)


async def due_at(connection: AsyncConnection, calendar: kept.Agreed, opened_at: datetime) -> datetime | None:
    """When a window that was opened at an instant is due: with the first cut-off of any currency."""
    return min([one.at for one in await kept.firsts(connection, calendar, opened_at, 1)], default=None)


def upcoming(calendar: Calendar, after: datetime, count: int) -> list[CutOff]:
    """The next so many cut-offs of each currency, oldest first, of a calendar that nobody agreed on yet."""
    found = [each for one in calendar.currencies for each in kept.following(one, after, count)]
    return sorted(found, key=lambda cut_off: (cut_off.at, cut_off.currency))


async def reached(
    connection: AsyncConnection, calendar: kept.Agreed, opened_at: datetime, closed_at: datetime
) -> list[WindowCutOff]:
    """The currencies that were cut off while a window was open, each by its last cut-off in it."""
    lasts = await kept.lasts(connection, calendar[0], opened_at, closed_at)
    found = []
    for one in calendar[1].currencies:
        if last := lasts.get(one.currency):
            late = await asyncio.to_thread(pay_day_when_late, last, one, is_open_by(one), closed_at)
            # What was announced is never paid before, whatever the books say by now.
            found.append(WindowCutOff(one.currency, last.at, max(last.pay_day, late)))
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
