"""Up to where the order of events is complete.

Blocks of ledger sequences are drawn in order and committed in any: a reader who simply goes on after the greatest
sequence it saw would skip whoever drew before and commits after. Marking each row with its transaction would cost every
transfer; waiting on a lock would cost every poster. Both are needless: whoever draws a block holds the fence
(`exchange.ledger.sql.FENCE`) from before it draws until its commit can be seen, and PostgreSQL tells who holds a lock.
So once everybody who held the fence when block n had been drawn is gone, all blocks up to n have ended one way or the
other, and what a later snapshot shows of them is all there ever will be.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import NamedTuple

from exchange.db.engine import Database, DriverConnection
from exchange.events import sql
from exchange.ledger.sql import BLOCK_UNITS

SETTLE_SECONDS_MAX = 1.0
SETTLE_POLL_SECONDS = 0.01
LOOKS_KEPT_MAX = 256


def last_of_block(block: int) -> int:
    """The last place of a block; of block 0, which nobody draws, the place before everything."""
    return block * BLOCK_UNITS + BLOCK_UNITS - 1 if block else 0


class _Look(NamedTuple):
    """What was seen at one time: blocks drawn, and a moment later who held the fence."""

    drawn: int
    holders: frozenset[str]
    at: float


class Frontier:
    """What one process knows of how far the order is complete; it only ever advances.

    Attributes:
        place: everything up to here is there.
        drawn: the greatest block that was drawn.
        directory_version: no older than any that a transfer up to `place` was decided by.
    """

    def __init__(self) -> None:
        self.place = self.drawn = self.directory_version = 0
        self._looks: list[_Look] = []
        self._looked_at = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_settled(self) -> bool:
        """Whether everything that was drawn when somebody last looked has ended."""
        return self.place >= last_of_block(self.drawn)

    @property
    def seconds_behind(self) -> float:
        """For how long something has been drawn that is not known to have ended."""
        return monotonic() - self._looks[0].at if self._looks else 0.0

    async def look(self, connection: DriverConnection) -> None:
        """Advance as far as can be seen now. Read events in a statement after this one.

        One look at a time: an older list of holders would free a newer look too early.
        """
        async with self._one_at_a_time:
            # In this order: a holder who is not listed any more, or not yet, drew before the figure or draws above it.
            drawn: int = await connection.fetchval(sql.DRAWN)
            seen = await connection.fetchrow(sql.HOLDERS)
            assert seen is not None, "the coalition was never set up"
            self.directory_version, holders = seen["directory_version"], frozenset(seen["holders"])
            self.drawn = max(self.drawn, drawn)
            if drawn > self._looked_at and len(self._looks) < LOOKS_KEPT_MAX:
                self._looks.append(_Look(drawn, holders, monotonic()))
                self._looked_at = drawn
            while self._looks and self._looks[0].holders.isdisjoint(holders):
                self.place = max(self.place, last_of_block(self._looks.pop(0).drawn))

    async def settle(self, database: Database) -> int:
        """The place up to which everything is there that was acknowledged before this call.

        Should some transaction have held the fence for longer than `SETTLE_SECONDS_MAX`, what it holds up is left out.
        """
        give_up = monotonic() + SETTLE_SECONDS_MAX
        async with database.lane() as connection:
            await self.look(connection)
        wanted = last_of_block(self.drawn)
        while self.place < wanted and monotonic() < give_up:
            # Without a connection: however many wait here, others read.
            await asyncio.sleep(SETTLE_POLL_SECONDS)
            async with database.lane() as connection:
                await self.look(connection)
        return self.place
