"""Ledgers that are grown by SQL: nothing in them could not have been posted, and posting goes on from there."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from bench import requests, seeding, world
from bench.calls import BATCH
from bench.load.drive import drive
from bench.load.plan import Plan
from exchange.db.engine import Database
from exchange.ledger.audit import audit
from tests.integration.bench.test_yardsticks import dsn
from tests.servers import Server, a_server

MORE = 2_500
SIGNS = """
SELECT count(*) AS transfers, count(DISTINCT merchant_no) AS merchants, count(DISTINCT member_id) AS members,
       count(DISTINCT legs[1].units) AS amounts
FROM exchange.transfers WHERE kind = 4
"""


async def test_a_grown_ledger_stands_up_to_the_audit_and_is_posted_to(database_url: str) -> None:
    """Balances, lots, numbers, keys and totals agree, before the exchange posts more of the same and after."""
    async with a_server(database_url) as server:
        parties = await world.build(server.port, server.operator_secret, members_each=4)
        await post(server, parties, seeding.SAMPLES_MIN)
        heard: list[int] = []

        connection = await asyncpg.connect(dsn(database_url))
        try:
            before = await connection.fetchrow(SIGNS)
            await seeding.grow(connection, MORE, heard.append)
            after = await connection.fetchrow(SIGNS)
        finally:
            await connection.close()
        found = await wrong_with(database_url)
        await post(server, parties, seeding.SAMPLES_MIN)

    assert before is not None
    assert after is not None
    assert after["transfers"] == before["transfers"] + MORE
    assert heard[-1] == MORE
    assert (after["merchants"], after["members"], after["amounts"]) == (5, 20, 10)
    assert found == await wrong_with(database_url) == []


async def post(server: Server, parties: list[world.Party], count: int) -> None:
    """Have the exchange post so many conversions, in batches."""
    lanes = requests.lanes(parties, requests.batches(count // len(parties) // 4), count)
    wanted: dict[str, Any] = {"in_flight": len(parties), "seconds": 60.0, "warmup_seconds": 0.0}
    outcome = await asyncio.to_thread(drive, Plan(port=server.port, path=BATCH, lanes=lanes, **wanted))
    assert (outcome.ok > 0, outcome.failed) == (True, {})


async def wrong_with(url: str) -> list[str]:
    """The checks of the audit that find something."""
    database = Database(url)
    try:
        return [finding.check for finding in await audit(database) if not finding.ok]
    finally:
        await database.dispose()
