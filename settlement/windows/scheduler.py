"""The scheduler: ends disputes whose deadline passed, closes the open window when due, nets and commits to it.

Each step is one transaction of the ordinary use cases, so several processes may be at it at once, and one may die at
any point: whoever looks next finds what is left to do. It submits and approves nothing.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import structlog

from exchange.db.engine import Database
from exchange.refusals import AmountOverflow, InvalidField, WindowState
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.disputes.deadlines import Deadlines
from settlement.proofs.service import Proofs
from settlement.refusals import FxRateMissing
from settlement.run.asked import Asked
from settlement.run.service import Runs
from settlement.windows import dates, sql
from settlement.windows.service import Windows

SCHEDULER = Actor("SCHEDULER:scheduler", None)
log = structlog.get_logger(__name__)


class Done(NamedTuple):
    """What one look did: the windows it closed and netted, by number, and the disputes it ended, by name."""

    closed: tuple[int, ...]
    netted: tuple[int, ...]
    ended: tuple[str, ...] = ()


class Scheduler:
    """Looks at the calendar."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._windows, self._runs = Windows(database), Runs(database)
        self._deadlines = Deadlines(database, SCHEDULER)

    async def look(self) -> Done:
        """Do what is due. Without a calendar no window ever is; disputes end by their own deadlines.

        A window that should have been closed while nobody looked is closed now, once, however many cut-offs it missed.
        """
        async with self._database.read() as connection:
            has_calendar = await dates.calendar_in_force(connection) is not None
        # First: what ends now is netted in the window that is open now, and that is closed next.
        ended = await self._deadlines.look()
        if not has_calendar:
            return Done((), (), ended)
        await self._windows.keep_dates()
        closed = await self._close()
        netted = await self._net()
        for number in netted:
            await Proofs(self._database).commit(number)
        return Done(closed, netted, ended)

    async def _close(self) -> tuple[int, ...]:
        async with self._database.read() as connection:
            number = await exchange_ledger.open_window_no(connection)
            window = await exchange_ledger.read_window(connection, number)
            calendar = await dates.calendar_in_force(connection)
            now = (await exchange_directory.coalition(connection)).now
            due = await dates.due_at(connection, calendar, window.opened_at) if calendar else None
        if due is None or now < due:
            return ()
        # By its number: whoever comes second finds it closed, and does not close the next one.
        _, _, replayed = await self._windows.close(number, SCHEDULER)
        if replayed:
            return ()
        log.info("window closed", window=window.name, due=due.isoformat(), late_seconds=(now - due).total_seconds())
        return (number,)

    async def _net(self) -> tuple[int, ...]:
        async with self._database.read() as connection:
            waiting = list((await connection.execute(sql.NEVER_RUN)).scalars())
        netted = []
        for number in waiting:
            try:
                _, replayed = await self._runs.start(number, Asked(), SCHEDULER, only_first=True)
            except (AmountOverflow, FxRateMissing, InvalidField, WindowState) as not_yet:
                # The window before was rejected, or rates or terms are missing: somebody has to look at it first.
                log.info("window not netted", window=f"windows/{number}", because=str(not_yet))
                break
            if not replayed:
                netted.append(number)
        return tuple(netted)

    async def keep_looking(self, every_seconds: float) -> None:
        """Look again and again until cancelled; a look that fails is tried again the next time."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.look()
            except Exception:
                log.warning("looking at the calendar failed; it is tried again", exc_info=True)
