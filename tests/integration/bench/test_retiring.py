"""Partitions leave a ledger that is posted to, as the measurement has them leave."""

from __future__ import annotations

from bench import retiring, world
from bench.retiring_report import ALONE, DETACHING
from tests.integration.ledger.ledgers import owner_of
from tests.servers import a_server

STEPS = [ALONE, "begin", "checkpoint", "archive", "read back", DETACHING]
THERE = "SELECT count(*) FROM exchange.transfers"
LEFT = "SELECT part_name, transfers FROM exchange.retirements WHERE detached_at IS NOT NULL ORDER BY retirement_no"


async def test_partitions_leave_one_after_the_other_while_posters_go_on(database_url: str) -> None:
    """What was filled leaves, what is posted beside it stays, and the audit that ends the measurement finds nothing."""
    heard: list[str] = []
    async with a_server(database_url) as server:
        parties = await world.build(server.port, server.operator_secret, members_each=5)
        rounds = await retiring.measured(
            database_url, server.port, parties, transfers=5_000, rounds=2, seconds=0.2, told=heard.append
        )
        async with owner_of(database_url) as connection:
            there, left = await connection.fetchval(THERE), await connection.fetch(LEFT)

    assert [list(each.steps) for each in rounds] == [STEPS, STEPS]
    assert [each.transfers for each in rounds] == [row["transfers"] for row in left]
    assert min(each.transfers for each in rounds) >= 1_000
    assert [row["part_name"] for row in left] == ["transfers_first", "transfers_first_later"]
    assert there > 0
    assert [each.refused for each in rounds] == [0, 0]
    assert all(each.steps[ALONE].per_second > 0 for each in rounds)
    assert all(each.looks > 0 for each in rounds)
    assert heard[-1] == "audit"
