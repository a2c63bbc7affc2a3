"""Use cases of windows."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from exchange.db.engine import Database
from settlement import exchange_ledger
from settlement.exchange_ledger import Window
from settlement.run.sql import WINDOWS_WITH_RUNS


class WindowView(NamedTuple):
    """A window and whether it was run."""

    window: Window
    calculated: bool


class Windows:
    """Listing, reading and cutting off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, window_no: int | None, closed_by: str) -> tuple[Window, int, bool]:
        """Cut a window off (None: the open one); the window, the number of the open one, whether it was closed before.

        Raises:
            ResourceNotFound: there is no such window yet.
        """
        async with self._database.write() as connection:
            window, replayed = await exchange_ledger.close_window(connection, window_no, closed_by)
            return window, await exchange_ledger.open_window_no(connection), replayed

    async def read(self, window_no: int | None) -> WindowView:
        """A window by number; None: the open one.

        Raises:
            ResourceNotFound: there is none yet.
        """
        async with self._database.read() as connection:
            number = await exchange_ledger.open_window_no(connection) if window_no is None else window_no
            window = await exchange_ledger.read_window(connection, number)
            run = await connection.execute(WINDOWS_WITH_RUNS, {"least": number, "most": number})
            return WindowView(window, run.first() is not None)

    async def page(self, before: int, limit: int) -> list[WindowView]:
        """Windows with smaller numbers, newest first."""
        async with self._database.read() as connection:
            windows = await exchange_ledger.windows_before(connection, before, limit)
            run: Collection[int] = ()
            if windows:
                bounds = {"least": windows[-1].window_no, "most": windows[0].window_no}
                run = set((await connection.execute(WINDOWS_WITH_RUNS, bounds)).scalars())
        return [WindowView(window, window.window_no in run) for window in windows]
