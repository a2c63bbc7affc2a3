"""Use cases of windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.calendar.books import edition
from settlement.calendar.model import CutOff
from settlement.exchange_ledger import Window
from settlement.proofs.service import heads_between
from settlement.proposals.standing import leave_to_close
from settlement.refusals import NotDue
from settlement.run.life import DEAD, RunState
from settlement.run.sql import STATES_OF_WINDOWS
from settlement.run.steps import take_turns
from settlement.windows import dates, kept, sql
from settlement.windows.dates import WindowCutOff


class WindowView(NamedTuple):
    """A window with the run that stands and how far that is; both None when there is none.

    `cut_offs`: what it was cut off for by the calendar. `due_at`: when the open one is due by it. `head`: what its
    statements are proven against; empty: not made yet.
    """

    window: Window
    run_id: UUID | None = None
    state: RunState | None = None
    cut_offs: Sequence[WindowCutOff] = ()
    due_at: datetime | None = None
    head: str = ""


class Windows:
    """Listing, reading and cutting off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, window_no: int | None, actor: Actor) -> tuple[Window, int, bool]:
        """Cut a window off (None: the open one); the window, the number of the open one, whether it was closed before.

        Raises:
            ResourceNotFound: there is no such window yet.
            NotDue: the calendar says later, and nobody gave leave to close it off the calendar.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            calendar = await dates.calendar_in_force(connection)
            if calendar is not None:
                # Before the ledger's fence: reading books of holidays must not hold up who moves points.
                await kept.keep(connection, calendar)
                await _require_due(connection, calendar, window_no)
            window, replayed = await exchange_ledger.close_window(connection, window_no, actor.name)
            if not replayed:
                await _note(connection, window, calendar, actor)
            return window, await exchange_ledger.open_window_no(connection), replayed

    async def read(self, window_no: int | None) -> WindowView:
        """A window by number; None: the open one.

        Raises:
            ResourceNotFound: there is none yet.
        """
        async with self._database.read() as connection:
            number = await exchange_ledger.open_window_no(connection) if window_no is None else window_no
            window = await exchange_ledger.read_window(connection, number)
            return (await _views(connection, [window]))[0]

    async def page(self, before: int, limit: int) -> list[WindowView]:
        """Windows with smaller numbers, newest first."""
        async with self._database.read() as connection:
            windows = await exchange_ledger.windows_before(connection, before, limit)
            return await _views(connection, list(windows))

    async def upcoming(self, count: int) -> list[CutOff]:
        """The next so many cut-offs of each currency, oldest first; none without a calendar."""
        async with self._database.read() as connection:
            calendar = await dates.calendar_in_force(connection)
            now = (await exchange_directory.coalition(connection)).now
            return await kept.firsts(connection, calendar, now, count) if calendar else []

    async def outdated(self) -> dict[str, datetime]:
        """Currencies of which the books of holidays say otherwise by now, with the first cut-off that differs."""
        async with self._database.read() as connection:
            calendar = await dates.calendar_in_force(connection)
            now = (await exchange_directory.coalition(connection)).now
            return await kept.outdated(connection, calendar, now) if calendar else {}

    async def keep_dates(self) -> None:
        """Reckon cut-offs on, where they do not reach far enough."""
        async with self._database.read() as connection:
            calendar = await dates.calendar_in_force(connection)
            if calendar is None or await kept.reaches(connection, calendar):
                return
        async with self._database.write() as connection:
            await take_turns(connection)
            if (calendar := await dates.calendar_in_force(connection)) is not None:
                await kept.keep(connection, calendar)


async def _require_due(connection: AsyncConnection, calendar: kept.Agreed, window_no: int | None) -> None:
    number = await exchange_ledger.open_window_no(connection)
    if window_no not in {None, number}:
        return
    window = await exchange_ledger.read_window(connection, number)
    due = await dates.due_at(connection, calendar, window.opened_at)
    now = (await exchange_directory.coalition(connection)).now
    if due is not None and now < due and await leave_to_close(connection, number) is None:
        raise NotDue(window=window.name, due_time=due.isoformat())


async def _note(connection: AsyncConnection, window: Window, calendar: kept.Agreed | None, actor: Actor) -> None:
    """Keep who closed a window and what for, for ever: a run of it must come out the same."""
    assert window.closed_at is not None
    values = {"window_no": window.window_no, "actor": actor.name, "person": actor.person, "at": window.closed_at}
    if calendar is None:
        await connection.execute(sql.CLOSED, {**values, "calendar": None, "edition": None, "leave": None})
        return
    proposal, agreed = calendar
    leave = await leave_to_close(connection, window.window_no)
    found = await dates.reached(connection, calendar, window.opened_at, window.closed_at)
    # Pay days of a late or special closing are reckoned now, cut-offs were before: by one edition or by two.
    books = sorted({edition(), *await kept.editions(connection, proposal, window.closed_at)})
    if leave is not None:
        found += dates.by_leave(agreed, leave[1].currencies, window.closed_at, found)
    by = {"calendar": proposal, "edition": ", ".join(books), "leave": leave[0] if leave else None}
    await connection.execute(sql.CLOSED, {**values, **by})
    for one in found:
        row = {"currency_code": one.currency, "cut_off_at": one.at, "pay_day": one.pay_day}
        await connection.execute(sql.CUT_OFF, {"window_no": window.window_no, **row})


async def _views(connection: AsyncConnection, windows: list[Window]) -> list[WindowView]:
    """Windows, newest first, with their runs and dates."""
    if not windows:
        return []
    bounds = {"least": windows[-1].window_no, "most": windows[0].window_no}
    rows = await connection.execute(STATES_OF_WINDOWS, bounds)
    standing = {row.window_no: (row.run_id, RunState(row.state)) for row in rows if row.state not in DEAD}
    cut_offs = await dates.cut_offs_of(connection, **bounds)
    heads = await heads_between(connection, **bounds)
    due = None
    if windows[0].closed_at is None and (calendar := await dates.calendar_in_force(connection)):
        due = await dates.due_at(connection, calendar, windows[0].opened_at)
    return [
        WindowView(
            window,
            run_id,
            state,
            cut_offs.get(window.window_no, ()),
            None if window.closed_at else due,
            heads.get(window.window_no, ""),
        )
        for window in windows
        for run_id, state in (standing.get(window.window_no, (None, None)),)
    ]
