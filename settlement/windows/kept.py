"""Cut-offs as they are kept: reckoned once by a calendar, then read, here and by the database's own check of closings.

Books of holidays change with each edition. What was reckoned stays: other dates take a calendar that two people agree
on.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement import exchange_directory, exchange_ledger
from settlement.calendar.books import edition, is_open_by
from settlement.calendar.model import Calendar, CurrencyCalendar, CutOff
from settlement.calendar.rules import cut_offs, next_cut_off
from settlement.windows import sql

HORIZON = timedelta(days=100)
"""So far ahead cut-offs are reckoned, and so far back for a window that was open before there was a calendar."""
HORIZON_LEAST = timedelta(days=70)
"""With less than this left they are reckoned on; above two months, so that every currency has its next one."""

Agreed = tuple[UUID, Calendar]
"""A calendar with the proposal that brought it."""


async def keep(connection: AsyncConnection, calendar: Agreed) -> None:
    """Reckon every currency's cut-offs on, where they do not reach far enough; turns are taken by the caller.

    Raises:
        NeverOpen: banks are shut for so long that the calendar must be wrong.
    """
    if await reaches(connection, calendar):
        return
    now = (await exchange_directory.coalition(connection)).now
    ends = await reach(connection, calendar[0])
    window = await exchange_ledger.read_window(connection, await exchange_ledger.open_window_no(connection))
    for one in calendar[1].currencies:
        # A clock that was put back stands before the window was opened: what comes from now on counts all the same.
        after = ends.get(one.currency, max(min(window.opened_at, now), now - HORIZON))
        if after - now >= HORIZON_LEAST:
            continue
        found = await asyncio.to_thread(_reckoned, one, after, now + HORIZON)
        key = {"calendar": calendar[0], "currency_code": one.currency}
        span = {"after": after, "until": now + HORIZON, "edition": edition()}
        await connection.execute(sql.ADD_SPAN, {**key, **span})
        if found:
            rows = [{"at": each.at, "day": each.day, "meant": each.meant, "pay_day": each.pay_day} for each in found]
            await connection.execute(sql.KEEP_CUT_OFF, [{**key, **row} for row in rows])


async def reaches(connection: AsyncConnection, calendar: Agreed) -> bool:
    """Whether every currency's cut-offs are reckoned far enough."""
    now = (await exchange_directory.coalition(connection)).now
    ends = await reach(connection, calendar[0])
    return all(ends.get(one.currency, now) - now >= HORIZON_LEAST for one in calendar[1].currencies)


async def reach(connection: AsyncConnection, calendar: UUID) -> dict[str, datetime]:
    """Until when cut-offs are kept, by currency; one without any is left out."""
    rows = await connection.execute(sql.REACH, {"calendar": calendar})
    return {row.currency_code: row.until for row in rows}


async def firsts(connection: AsyncConnection, calendar: Agreed, after: datetime, count: int) -> list[CutOff]:
    """The next so many cut-offs of each currency, oldest first: those that are kept, then what the books say now.

    Raises:
        NeverOpen: banks are shut for so long that the calendar must be wrong.
    """
    values = {"calendar": calendar[0], "after": after, "count": count}
    kept = [_kept(row) for row in await connection.execute(sql.FIRSTS, values)]
    ends = await reach(connection, calendar[0])
    found = list(kept)
    for one in calendar[1].currencies:
        missing = count - sum(each.currency == one.currency for each in kept)
        if missing:
            start = max(after, ends.get(one.currency, after))
            found += await asyncio.to_thread(following, one, start, missing)
    return sorted(found, key=lambda each: (each.at, each.currency))


async def lasts(connection: AsyncConnection, calendar: UUID, after: datetime, until: datetime) -> dict[str, CutOff]:
    """The last kept cut-off of each currency that has one after an instant and not after another."""
    values = {"calendar": calendar, "after": after, "until": until}
    return {row.currency_code: _kept(row) for row in await connection.execute(sql.LASTS, values)}


async def editions(connection: AsyncConnection, calendar: UUID, at: datetime) -> list[str]:
    """By which editions of the books the cut-offs around an instant were reckoned."""
    return list((await connection.execute(sql.EDITIONS, {"calendar": calendar, "at": at})).scalars())


async def outdated(connection: AsyncConnection, calendar: Agreed, now: datetime) -> dict[str, datetime]:
    """Currencies whose kept cut-offs are not what the books say by now, with the first one that differs.

    Raises:
        NeverOpen: banks are shut for so long that the calendar must be wrong.
    """
    ends, found = await reach(connection, calendar[0]), {}
    for one in calendar[1].currencies:
        until = ends.get(one.currency, now)
        values = {"calendar": calendar[0], "after": now, "until": until, "currency_code": one.currency}
        kept = {_kept(row)._replace(kept=False) for row in await connection.execute(sql.BETWEEN, values)}
        differing = kept ^ set(await asyncio.to_thread(_reckoned, one, now, until))
        if differing:
            found[one.currency] = min(each.at for each in differing)
    return found


def following(one: CurrencyCalendar, after: datetime, count: int) -> list[CutOff]:
    """A currency's next so many cut-offs as the books say now.

    Raises:
        NeverOpen: banks are shut for so long that the calendar must be wrong.
    """
    is_open, found = is_open_by(one), list[CutOff]()
    for _ in range(count):
        found.append(next_cut_off(one, is_open, found[-1].at if found else after))
    return found


def _reckoned(one: CurrencyCalendar, after: datetime, until: datetime) -> list[CutOff]:
    return list(cut_offs(one, is_open_by(one), after, until))


def _kept(row: Row[tuple[object, ...]]) -> CutOff:
    return CutOff(row.currency_code, row.cut_off_at, row.day, row.meant, row.pay_day, kept=True)
