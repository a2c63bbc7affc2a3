"""Letting go of old transfers by partitions of time: what decision 25 relies on holds on the PostgreSQL at hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from bench import partitioning
from bench.partitioning import Connection, boundary, insertion, rows
from exchange.ledger.codecs import pack_rows
from exchange.ledger.ids import new_id
from tests.integration.bench.test_yardsticks import dsn

PARTITIONS = 4
"""Of which the second holds what is posted now."""
ATTACHED = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'exchange.parts'::regclass"
DETACH = "ALTER TABLE exchange.parts DETACH PARTITION exchange.parts_0 CONCURRENTLY"
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE '%DETACH%CONCURRENTLY' AND wait_event_type = 'Lock'
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    """To a database in which a copy of the transfers stands in months, with some in this one."""
    connection = await asyncpg.connect(dsn(database_url))
    await pack_rows(connection)
    await partitioning.copy(connection, "parts", PARTITIONS)
    await connection.execute(insertion("parts"), rows(100))
    yield connection
    await connection.close()


async def counted(connection: Connection, table: str) -> int:
    """Rows of a table."""
    return int(await connection.fetchval(f"SELECT count(*) FROM exchange.{table}"))


async def test_ids_made_in_a_month_lie_in_its_range(connection: Connection) -> None:
    """Between its boundaries, whatever the bucket; so they stand in its partition and in no other."""
    before, made, after = datetime.now(UTC), [new_id(bucket) for bucket in range(1_024)], datetime.now(UTC)

    # Ids know milliseconds, and may borrow some from the future.
    assert boundary(before - timedelta(milliseconds=1)) < min(made)
    assert max(made) < boundary(after + timedelta(seconds=1))
    assert [await counted(connection, f"parts_{number}") for number in range(PARTITIONS)] == [0, 100, 0, 0]


async def test_a_partition_leaves_whole_while_posters_go_on(database_url: str, connection: Connection) -> None:
    """What had been posted to it stays in its own table; what is posted meanwhile and after goes where it belongs."""
    old = [(row[0], boundary(datetime(2020, 1, 1, tzinfo=UTC)), *row[2:]) for row in rows(1)]
    await connection.execute(insertion("parts"), old)

    figures = await partitioning.detached(dsn(database_url), "parts", 0.4)

    assert {"before, median", "meanwhile, median"} <= figures.keys()
    assert await connection.fetchval(ATTACHED) == PARTITIONS - 1
    assert [row[0] for row in await connection.fetch("SELECT transfer_id FROM exchange.parts_0")] == [old[0][1]]
    assert await counted(connection, "parts") == await counted(connection, "parts_1") > 100
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(insertion("parts"), old)


async def test_a_reader_of_older_standing_delays_the_leaving_and_no_poster(
    database_url: str, connection: Connection
) -> None:
    """While it reads, posters post; when it has ended, the partition is gone."""
    reader, operator = await asyncpg.connect(dsn(database_url)), await asyncpg.connect(dsn(database_url))
    reading = reader.transaction()
    await reading.start()
    assert await counted(reader, "parts") == 100

    leaving = asyncio.create_task(operator.execute(DETACH))
    async with asyncio.timeout(30):
        while not await connection.fetchval(WAITING):
            await asyncio.sleep(0.01)
    await connection.execute(insertion("parts"), rows(50))
    assert not leaving.done()
    assert await counted(connection, "parts_1") == 150
    await reading.rollback()
    await leaving

    assert await connection.fetchval(ATTACHED) == PARTITIONS - 1
    await reader.close()
    await operator.close()
