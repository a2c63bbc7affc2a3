"""Letting go of old events: safe to run twice and at once, and to be killed in the middle.

Transfers stay: they are the ledger. What ends is that they, and the events beside them, are told from so far back.
Each run marks how far the order has come; once a mark is old enough, the horizon moves there, and only then are the
events before it deleted, some at a time. A cursor from before the horizon is refused in the same moment, so nobody
reads on over a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text

from exchange.db.engine import Database
from exchange.events.frontier import Frontier

AT_ONCE = 1_000
MARK_EVERY = timedelta(hours=1)
"""What is let go of is older than it must be by so much at most."""

MARK = text("SELECT exchange.mark_events(:place, :every)")

MOVE = text("SELECT exchange.move_event_horizon(:keep)")

DROP = text("SELECT exchange.drop_events(:at_most)")


class LetGo(NamedTuple):
    """The place before which nothing is told any more, and how many noted events were deleted by this run."""

    horizon: int
    deleted: int


class Retention:
    """Lets go of what happened more than so many days ago."""

    def __init__(self, database: Database, keep_days: int) -> None:
        assert keep_days > 0, "events are kept for a day at least"
        self._database, self._keep = database, timedelta(days=keep_days)

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> LetGo:
        """Mark, move the horizon, delete what lies before it; `progress` hears counts of what was deleted."""
        frontier = Frontier()
        place = await frontier.settle(self._database)
        async with self._database.write() as connection:
            await connection.execute(MARK, {"place": place, "every": MARK_EVERY})
            horizon: int = (await connection.execute(MOVE, {"keep": self._keep})).scalar_one()
        total = 0
        while deleted := await self._drop():
            total += deleted
            progress(deleted)
        return LetGo(horizon, total)

    async def _drop(self) -> int:
        async with self._database.write() as connection:
            deleted: int = (await connection.execute(DROP, {"at_most": AT_ONCE})).scalar_one()
            return deleted
