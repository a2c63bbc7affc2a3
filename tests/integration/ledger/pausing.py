"""Posters that stand still on their way, so that a test may do something meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.gathering import Gathering
from tests.integration.ledger.ledgers import Ledger, owner_of


class Pause:
    """Posters of a database stand still between deciding and writing.

    A lock on the table of transfers lets them read everything and write nothing.
    """

    def __init__(self, holder: DriverConnection, observer: asyncpg.Connection[asyncpg.Record]) -> None:
        self._holder, self._observer = holder, observer

    async def until_waiting(self, what: str, how_many: int = 1) -> None:
        """Wait until so many wait for a lock here: "relation" is a paused poster, "advisory" the fence."""
        statement = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1"
        )
        while await self._observer.fetchval(statement, what) < how_many:
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Let them go on."""
        await self._holder.execute("COMMIT")


@asynccontextmanager
async def paused(ledger: Ledger) -> AsyncIterator[Pause]:
    """Pause every poster of the database until the block ends, or the pause is ended in it."""
    async with owner_of(ledger.url) as holder, owner_of(ledger.url) as observer:
        await holder.execute("BEGIN; LOCK TABLE exchange.transfers IN SHARE MODE")
        yield Pause(holder, observer)


async def done_or_fenced(task: asyncio.Task[Any], pause: Pause) -> None:
    """Wait until a task has ended, or is held up by the fence."""
    fenced = asyncio.create_task(pause.until_waiting("advisory"))
    await asyncio.wait([task, fenced], return_when=asyncio.FIRST_COMPLETED)
    fenced.cancel()
    await asyncio.wait([fenced])


async def without(ledger: Ledger, condition: str, instead: str = "") -> None:
    """Have batches written as if nobody had thought of something: it is cut out of `exchange.post_batch`."""
    (definition,) = await ledger.rows("SELECT pg_get_functiondef('exchange.post_batch'::regproc)")
    assert condition in definition[0]
    await ledger.rows(definition[0].replace(condition, instead))


FENCE = f"PERFORM pg_advisory_xact_lock_shared({sql.FENCE});"
"""What takes the fence there."""


class Between:
    """The first batch that is decided without locks stands still when it has its grounds."""

    def __init__(self) -> None:
        self._looked, self._let_go = asyncio.Event(), asyncio.Event()

    async def until_looked(self) -> None:
        """Wait until it stands still."""
        await self._looked.wait()

    def end(self) -> None:
        """Let it go on."""
        self._let_go.set()

    async def stand(self) -> None:
        """What the batch does there."""
        if not self._looked.is_set():
            self._looked.set()
            await self._let_go.wait()


def standing_between(monkeypatch: pytest.MonkeyPatch, after: str = "look") -> Between:
    """From now on, in this process; `after` another step of gathering."""
    between, step = Between(), getattr(Gathering, after)

    async def slow(gathering: Gathering, *arguments: Any) -> Any:
        seen = await step(gathering, *arguments)
        await between.stand()
        return seen

    monkeypatch.setattr(Gathering, after, slow)
    return between
