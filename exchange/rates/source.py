"""The coalition's directory and rates, kept in memory and read anew when their version has moved."""

from __future__ import annotations

import asyncio

from exchange.db.engine import Database
from exchange.directory import sql as directory_sql
from exchange.directory.snapshot import read_directory
from exchange.limits.snapshot import read_limits
from exchange.promotions.snapshot import read_promotions
from exchange.rates.model import Coalition, Rate
from exchange.rates.sql import RATES


class CoalitionSource:
    """One process's copy.

    `current` may lag behind another process's change; whoever decides on it compares its version under the ledger's
    fence (`Batch`) or asks for `fresh`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Coalition | None = None
        self._reading = asyncio.Lock()

    @property
    def held(self) -> Coalition | None:
        """What is in memory, without asking anybody."""
        return self._held

    async def current(self) -> Coalition:
        """What is in memory, read first if nothing is."""
        return self._held or await self.reload()

    async def at_least(self, version: int) -> Coalition:
        """A version no older than that one, which somebody has seen."""
        return self._held if self._held is not None and self._held.version >= version else await self.reload()

    async def fresh(self) -> Coalition:
        """A version no older than the call."""
        if self._held is not None:
            async with self._database.look() as connection:
                version = (await connection.execute(directory_sql.VERSION)).scalar_one()
            if version <= self._held.version:
                return self._held
        return await self.reload()

    async def reload(self) -> Coalition:
        """Read everything in one snapshot; a copy that is newer already stays."""
        async with self._reading:
            async with self._database.read() as connection:
                directory = await read_directory(connection)
                rates = [Rate(*row) for row in await connection.execute(RATES)]
                promotions = await read_promotions(connection)
                limits = await read_limits(connection)
            if self._held is None or directory.version >= self._held.version:
                self._held = Coalition.of(directory, rates, promotions, limits)
            return self._held
