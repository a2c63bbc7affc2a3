"""A server process killed under load: OK meant durable, and what nobody was told is done once or not at all."""

from __future__ import annotations

import asyncio

from tests.faults.aftermath import assert_nothing_is_lost_or_doubled
from tests.faults.partners import UNKNOWN, partners_of
from tests.faults.server_process import a_server_process
from tests.integration.ledger.ledgers import going_on
from tests.servers import a_new_coalition
from tests.worlds import a_channel, a_world

ENOUGH = 200
"""Acknowledged requests before the kill."""


async def test_a_killed_server_loses_and_doubles_nothing(durable_database_url: str) -> None:
    """Kill -9 in the middle of two dozen callers; another process takes over, and every request is asked again."""
    secret = await a_new_coalition(durable_database_url)
    stop = asyncio.Event()

    async with a_server_process(durable_database_url) as server, a_world(server.address, secret) as world:
        partners = await partners_of(world)
        async with going_on(partners.trade_until(stop)) as (trading,):
            await partners.until_acknowledged(ENOUGH, trading)
            await server.kill()
            stop.set()
            await trading
    assert {error.code() for error in partners.failures} <= UNKNOWN

    async with a_server_process(durable_database_url) as server, a_channel(server.address) as channel:
        partners.at(channel)
        await assert_nothing_is_lost_or_doubled(partners, durable_database_url)


async def test_one_of_two_servers_killed_does_not_stop_the_other(durable_database_url: str) -> None:
    """What the dead one held locked is free again; the other serves the same members and answers for both."""
    secret = await a_new_coalition(durable_database_url)
    stop = asyncio.Event()

    async with (
        a_server_process(durable_database_url) as doomed,
        a_server_process(durable_database_url) as other,
        a_world(doomed.address, secret) as world,
        a_channel(other.address) as channel,
    ):
        partners = await partners_of(world)
        async with going_on(partners.trade_until(stop)) as (trading,):
            await partners.until_acknowledged(ENOUGH, trading)
            await doomed.kill()
            stop.set()
            await trading

        partners.at(channel)
        await assert_nothing_is_lost_or_doubled(partners, durable_database_url)
