"""Use cases of windows."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement import exchange_ledger
from settlement.actors import Actor
from settlement.exchange_ledger import Window
from settlement.run.life import DEAD, RunState
from settlement.run.sql import STATES_OF_WINDOWS
from settlement.windows import sql


class WindowView(NamedTuple):
    """A window with the run that stands and how far that is; both None when there is none."""

    window: Window
    run_id: UUID | None = None
    state: RunState | None = None


class Windows:
    """Listing, reading and cutting off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, window_no: int | None, actor: Actor) -> tuple[Window, int, bool]:
        """Cut a window off (None: the open one); the window, the number of the open one, whether it was closed before.

        Raises:
            ResourceNotFound: there is no such window yet.
        """
        async with self._database.write() as connection:
            window, replayed = await exchange_ledger.close_window(connection, window_no, actor.name)
            if not replayed:
                values = {"window_no": window.window_no, "actor": actor.name, "person": actor.person}
                await connection.execute(sql.CLOSED, {**values, "at": window.closed_at})
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


async def _views(connection: AsyncConnection, windows: list[Window]) -> list[WindowView]:
    """Windows, newest first, with their runs."""
    if not windows:
        return []
    bounds = {"least": windows[-1].window_no, "most": windows[0].window_no}
    rows = await connection.execute(STATES_OF_WINDOWS, bounds)
    standing = {row.window_no: (row.run_id, RunState(row.state)) for row in rows if row.state not in DEAD}
    return [WindowView(window, *standing.get(window.window_no, (None, None))) for window in windows]
