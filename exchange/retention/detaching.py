"""Letting go of a partition beside posters and readers: nobody waits, and nobody sees half of it.

PostgreSQL detaches in two steps: first whoever takes a new snapshot no longer sees the partition; then, when everybody
has gone who may still read it, it is a table of its own. Whoever took a snapshot before the first step and looks into
the ledger only after the second would see neither the rows nor, the checkpoint being of the old snapshot, what they
came to. So the second step is held up until no transaction from before the first is left.
"""

from __future__ import annotations

import asyncio

import asyncpg
from sqlalchemy.engine import make_url

from exchange.db.engine import DriverConnection

LOOK_SECONDS = 0.05

# NULL: it is no partition (any more); true: it is about to leave.
PENDING = """
SELECT inhdetachpending FROM pg_inherits
WHERE inhrelid = to_regclass('exchange.' || $1) AND inhparent = 'exchange.transfers'::regclass
"""

# Each transaction holds its own name, which no other ever has; anybody may see that, of every login's.
UNDER_WAY = """
SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND a.datname = current_database() AND pid <> ALL ($1)
"""


async def detach(url: str, part: str) -> None:
    """Make a partition of the transfers a table of its own; done again, or after an interruption, it goes on.

    Args:
        url: of the database, as the owner of its tables.
        part: the partition's table.
    """
    operator, guard = await _connected(url), await _connected(url)
    try:
        pending = await operator.fetchval(PENDING, part)
        if pending is None:
            return
        if pending:
            # It was interrupted between the steps; this waits for older snapshots by itself.
            await operator.execute(f'ALTER TABLE exchange.transfers DETACH PARTITION exchange."{part}" FINALIZE')
            return
        async with guard.transaction():
            # Readers take the same lock, and nobody who posts minds it.
            await guard.execute("LOCK TABLE exchange.transfers IN ACCESS SHARE MODE")
            pids = [operator.get_server_pid(), guard.get_server_pid()]
            leaving = asyncio.create_task(
                operator.execute(f'ALTER TABLE exchange.transfers DETACH PARTITION exchange."{part}" CONCURRENTLY')
            )
            try:
                await _until_seen(guard, part, leaving)
                await _until_gone(guard, pids)
            except BaseException:
                leaving.cancel()
                raise
        await leaving
    finally:
        await guard.close()
        await operator.close()


async def _connected(url: str) -> DriverConnection:
    return await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


async def _until_seen(guard: DriverConnection, part: str, leaving: asyncio.Task[str]) -> None:
    """Wait until new snapshots do without the partition."""
    while not await guard.fetchval(PENDING, part):
        if leaving.done():
            leaving.result()
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _until_gone(guard: DriverConnection, own: list[int]) -> None:
    """Wait until whoever is in a transaction now has ended it."""
    older = {tuple(row) for row in await guard.fetch(UNDER_WAY, own)}
    while older:
        await asyncio.sleep(LOOK_SECONDS)
        older &= {tuple(row) for row in await guard.fetch(UNDER_WAY, own)}
