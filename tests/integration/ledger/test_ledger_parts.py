"""Partitions for transfers to come: always there, made once whoever asks, and cut where the calendar cuts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from exchange.db.engine import StartRefused
from exchange.db.migrate import EXCHANGE, History, _migrate
from exchange.ledger.ids import new_id
from exchange.retention.parts import LedgerParts
from tests.database import Databases
from tests.integration.ledger.ledgers import Ledger, a_server_on, at_once, owner_of
from tests.unit.rules.rulebook import earn

EDGES = """
SELECT from_id = lag(to_id) OVER (ORDER BY to_id) AS follows, exchange.time_of_id(to_id) AS ends_at
FROM exchange.ledger_parts_v1 ORDER BY to_id
"""


BEFORE = "0031"
"""The last revision at which the table of transfers was whole."""
OLD = """
INSERT INTO exchange.transfers (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at,
    ledger_sequence, window_no, legs, obligations)
SELECT 0, made, 1, 1, made, 'old', now(), 1, 1, '{}', '{}'
FROM (SELECT $1::uuid AS made) one
"""
FILES = "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE oid = to_regclass($1)"
INDEXES = """
SELECT array_agg(pg_relation_filenode(indexrelid) ORDER BY 1) FROM pg_index WHERE indrelid = to_regclass($1)
"""


async def test_the_table_becomes_a_partition_where_it_lies(databases: Databases, tmp_path: Path) -> None:
    """Its file and its indexes' are what they were: not a row was moved, and every view shows them."""
    name = await databases.clone("template0")
    url = databases.url_of(name)
    earlier = tmp_path / "versions"
    earlier.mkdir()
    for file in EXCHANGE.versions.iterdir():
        if file.name[:4] <= BEFORE and file.is_file():
            shutil.copy(file, earlier)
    await _migrate(url, [History("exchange", earlier)])
    async with owner_of(url) as connection:
        old_id = new_id(0)
        await connection.execute(OLD, old_id)
        table = await connection.fetchrow(FILES, "exchange.transfers")
        indexes = await connection.fetchval(INDEXES, "exchange.transfers")

    await _migrate(url, [EXCHANGE])

    async with owner_of(url) as connection:
        first = await connection.fetchrow(FILES, "exchange.transfers_first")
        assert first is not None
        assert table is not None
        assert (first["relname"], first[1]) == ("transfers_first", table[1])
        assert await connection.fetchval(INDEXES, "exchange.transfers_first") == indexes
        for source in ("transfers", "transfers_first", "clearing_transfers_v1", "clearing_transfers_v2"):
            assert await connection.fetchval(f"SELECT count(*) FROM exchange.{source}") == 1
        assert await connection.fetchval("SELECT transfer_id FROM exchange.transfers") == old_id
        assert await connection.fetchval("SELECT count(*) FROM exchange.ledger_parts_v1") == 3
    await databases.drop(name)


async def test_partitions_lie_ahead_however_often_they_are_asked_for(ledger: Ledger) -> None:
    """Two servers at once make each one time; they follow one another to the ends of quarters."""
    parts = [LedgerParts(ledger.database, 3, 6) for _ in range(2)]

    made = await at_once(*(one.run() for one in parts))

    edges = await ledger.rows(EDGES)
    assert sum(made) >= 4
    assert await at_once(*(one.run() for one in parts)) == [0, 0]
    assert all(edge["follows"] for edge in edges[1:])
    assert all((edge["ends_at"].month, edge["ends_at"].day) in {(1, 1), (4, 1), (7, 1), (10, 1)} for edge in edges)
    assert parts[0].days_ahead > 6 * 90
    await ledger.post(earn("1 BNK", "CAF", member_id=await ledger.member()))


async def test_partitions_are_made_while_a_movement_is_under_way(ledger: Ledger) -> None:
    """Whoever has written and not committed yet holds nobody up, nor is held up."""
    async with owner_of(ledger.url) as connection, connection.transaction():
        await connection.execute("LOCK TABLE exchange.transfers IN ROW EXCLUSIVE MODE")
        async with asyncio.timeout(30):
            assert await LedgerParts(ledger.database, 1, 5).run() >= 3


async def test_no_server_starts_without_a_partition_for_now(ledger: Ledger) -> None:
    """It would fail every movement; one that can be made is made."""
    async with owner_of(ledger.url) as connection:
        name = await connection.fetchval("SELECT part_name FROM exchange.ledger_parts ORDER BY to_id LIMIT 1")
        await connection.execute(f"ALTER TABLE exchange.transfers DETACH PARTITION exchange.{name}")
        try:
            with pytest.raises(StartRefused, match="no partition"):
                async with a_server_on(ledger.url):
                    pass
        finally:
            to_id = await connection.fetchval("SELECT to_id FROM exchange.ledger_parts WHERE part_name = $1", name)
            await connection.execute(
                f"ALTER TABLE exchange.transfers ATTACH PARTITION exchange.{name}"
                f" FOR VALUES FROM (MINVALUE) TO ('{to_id}')"
            )


@pytest.mark.parametrize(("months", "ahead"), [(5, 2), (12, 0), (12, 25)])
async def test_servers_make_no_others(ledger: Ledger, months: int, ahead: int) -> None:
    """Neither of odd lengths nor without end; nor may they attach or detach anything themselves."""
    with pytest.raises(IntegrityError):
        await LedgerParts(ledger.database, months, ahead).run()
    with pytest.raises(ProgrammingError):
        async with ledger.database.write() as connection:
            await connection.execute(text("ALTER TABLE exchange.transfers DETACH PARTITION exchange.transfers_first"))
