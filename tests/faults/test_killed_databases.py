"""PostgreSQL killed under load and started again: the server outlives it, nothing acknowledged is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import pytest

from exchange.client.caller import refusal_of
from exchange.db.embedded import EmbeddedPostgres, start
from exchange.db.migrate import migrate
from tests.faults.aftermath import assert_nothing_is_lost_or_doubled
from tests.faults.partners import partners_of
from tests.faults.server_process import a_server_process
from tests.integration.ledger.ledgers import going_on, owner_of
from tests.servers import a_new_coalition
from tests.worlds import a_world

ENOUGH = 200
"""Acknowledged requests before the kill, and as many after it."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for a cluster of the test's own: killing the shared one would fail other tests."""
    # The cluster's guard may take a last look, and leave a lock file, while the folder is being removed.
    with tempfile.TemporaryDirectory(prefix="exchange-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "cluster"


async def kill_all_of_it(postgres: EmbeddedPostgres, place: Path) -> EmbeddedPostgres:
    """Kill -9 of PostgreSQL's first process, which takes the others with it; then somebody starts it again."""
    pid = postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while postgres.pid is not None:
        await asyncio.sleep(0.01)
    return await asyncio.to_thread(start, place)


async def kill_a_session(postgres: EmbeddedPostgres, place: Path) -> EmbeddedPostgres:
    """Kill -9 of one busy session: PostgreSQL ends all others and recovers by itself."""
    async with owner_of(postgres.url) as connection:
        pid = await connection.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'points-exchange'"
            " ORDER BY xact_start NULLS LAST, pid LIMIT 1"
        )
    os.kill(pid, signal.SIGKILL)
    return await asyncio.to_thread(start, place)


@pytest.mark.parametrize("kill", [kill_all_of_it, kill_a_session])
async def test_a_killed_database_loses_and_doubles_nothing(
    place: Path, kill: Callable[[EmbeddedPostgres, Path], Awaitable[EmbeddedPostgres]]
) -> None:
    """The callers go on through it: told UNAVAILABLE while it is away, served again by the same server afterwards."""
    stop = asyncio.Event()
    with await asyncio.to_thread(start, place) as postgres:
        migrate(postgres.url)
        secret = await a_new_coalition(postgres.url)

        async with a_server_process(postgres.url) as server, a_world(server.address, secret) as world:
            partners = await partners_of(world)
            async with going_on(partners.trade_until(stop)) as (trading,):
                await partners.until_acknowledged(ENOUGH, trading)
                again = await kill(postgres, place)
                await partners.until_acknowledged(2 * ENOUGH, trading)
                stop.set()
                await trading

            assert server.process.returncode is None
            told = {(error.code(), refusal_of(error).reason) for error in partners.failures}
            assert told == {(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")}
            await assert_nothing_is_lost_or_doubled(partners, postgres.url)
        again.stop()
