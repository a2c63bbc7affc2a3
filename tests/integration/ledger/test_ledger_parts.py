"""Partitions for transfers to come: always there, made once whoever asks, and cut where the calendar cuts."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from exchange.db.engine import StartRefused
from exchange.retention.parts import LedgerParts
from tests.integration.ledger.ledgers import Ledger, a_server_on, at_once, owner_of
from tests.unit.rules.rulebook import earn

EDGES = """
SELECT from_id = lag(to_id) OVER (ORDER BY to_id) AS follows, exchange.time_of_id(to_id) AS ends_at
FROM exchange.ledger_parts_v1 ORDER BY to_id
"""


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
