"""Readers of events: one that polls and keeps a cursor, and the one that anybody would write first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from exchange.events.model import Entry, Viewer
from exchange.events.reader import Walk
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.model import key_bucket
from tests.integration.ledger.ledgers import Ledger, owner_of
from tests.unit.rules.rulebook import MERCHANT_NO

ALL = Viewer(None, frozenset(EventKind))
TRANSFERS = Viewer(None, frozenset({EventKind.TRANSFER}))
PAGE = 1_000


def request_of(entry: Entry) -> str:
    """The key under which a transfer was asked for; the resource's name of any other event."""
    return entry.resource if entry.transfer is None else entry.transfer.request_id


class Polling:
    """Asks for what is new, and goes on from where it was the next time, at whichever server it asks."""

    def __init__(self, viewer: Viewer = ALL) -> None:
        self.viewer, self.cursor = viewer, ""
        self.told: list[str] = []

    async def poll(self, ledger: Ledger) -> list[str]:
        """Everything that is told now; what is told in all is kept."""
        events = ledger.api.events
        walk, more = await events.begin(self.viewer, self.cursor, from_now=False), True
        new: list[str] = []
        while more:
            found, more = await events.page(walk, PAGE)
            new += map(request_of, found)
        self.cursor = events.cursors.seal(walk.place)
        self.told += new
        return new


class Naive:
    """Goes on after the greatest sequence it has seen, as one would with a serial column."""

    def __init__(self) -> None:
        self.last = 0
        self.told: list[str] = []

    async def poll(self, ledger: Ledger) -> list[str]:
        """Everything after the last sequence."""
        rows = await ledger.rows(
            "SELECT request_id, ledger_sequence FROM exchange.transfers WHERE ledger_sequence > $1 ORDER BY 2",
            self.last,
        )
        new = [row[0] for row in rows]
        self.last = rows[-1][1] if rows else self.last
        self.told += new
        return new


async def watched(ledger: Ledger, walk: Walk, count: int) -> list[str]:
    """What a watch tells until so many events have come."""
    told: list[str] = []
    pages = ledger.api.events.watch(walk)
    async for page in pages:
        told += map(request_of, page.entries)
        if len(told) >= count:
            break
    await pages.aclose()  # type: ignore[attr-defined]  # a generator
    return told


class HeldKey:
    """A transaction that used an idempotency key and has not ended: whoever asks under that key waits for it."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection

    async def until_awaited(self) -> None:
        """Wait until a poster waits. It has drawn its block of sequences by then."""
        async with asyncio.timeout(30):
            while not await self._connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event = 'transactionid'"
            ):
                await asyncio.sleep(0.01)

    async def let_go(self) -> None:
        """Leave the key unused after all."""
        await self._connection.execute("ROLLBACK")


@asynccontextmanager
async def a_held_key(ledger: Ledger, merchant: str, key: str) -> AsyncIterator[HeldKey]:
    """Hold a merchant's key until the block ends, or it is let go in it."""
    number = MERCHANT_NO[merchant]
    async with owner_of(ledger.url) as connection:
        await connection.execute("BEGIN")
        await connection.execute(
            "INSERT INTO exchange.request_keys (bucket, merchant_no, request_id, fingerprint, refusal, decided_at)"
            " VALUES ($1, $2, $3, '', '{}', now())",
            key_bucket(number, key),
            number,
            key,
        )
        yield HeldKey(connection)
