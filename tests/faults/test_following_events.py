"""Events followed across the death of servers: none is skipped, and none is told that did not happen."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from exchange.v1 import types_pb2 as types
from tests.faults.followers import Follower
from tests.faults.partners import Partners, partners_of
from tests.faults.server_process import a_server_process
from tests.integration.ledger.ledgers import going_on, owner_of
from tests.servers import a_new_coalition
from tests.worlds import World, a_channel, a_world

ENOUGH = 100
"""Acknowledged requests before something happens."""


async def ledger_of(url: str) -> list[str]:
    """Every transfer there is, in the order of the ledger."""
    async with owner_of(url) as connection:
        rows = await connection.fetch("SELECT transfer_id FROM exchange.transfers ORDER BY ledger_sequence")
    return [f"transfers/{row[0]}" for row in rows]


def concerns(transfer: types.Transfer, merchant: str) -> bool:
    """Whether a merchant is a party of a transfer. Each issues the currency of its own name, if any."""
    named = {transfer.merchant}
    named |= {name for owed in transfer.obligations for name in (owed.debtor, owed.creditor)}
    named |= {leg.points.currency.replace("currencies/", "merchants/") for leg in transfer.legs}
    return merchant in named


def followers_of(world: World, partners: Partners) -> list[Follower]:
    """The operator, who sees all, and two merchants."""
    return [Follower(world.operator), Follower(partners.merchants["GRO"]), Follower(partners.merchants["CAF"])]


def assert_each_is_told_its_own(followers: list[Follower]) -> None:
    """Merchants are told what the operator is told that concerns them, in the same order."""
    everything = [event.transfer for event in followers[0].told]
    for follower, merchant in zip(followers[1:], ("merchants/GRO", "merchants/CAF"), strict=True):
        assert follower.names == [one.name for one in everything if concerns(one, merchant)]


async def test_followers_of_a_killed_server_go_on_at_the_next(durable_database_url: str) -> None:
    """Kill -9 while all are trading and three follow; what was committed is told once, what was not is never told."""
    secret = await a_new_coalition(durable_database_url)
    stop = asyncio.Event()

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(a_server_process(durable_database_url))
        world = await stack.enter_async_context(a_world(server.address, secret))
        partners = await partners_of(world)
        followers = followers_of(world, partners)
        following = await stack.enter_async_context(going_on(*(follower.follow() for follower in followers)))
        async with going_on(partners.trade_until(stop)) as (trading,):
            await partners.until_acknowledged(ENOUGH, trading)
            await followers[0].until_told(1, following[0])
            await server.kill()
            stop.set()
            await trading
        told_before = len(followers[0].told)

        next_one = await stack.enter_async_context(a_server_process(durable_database_url))
        channel = await stack.enter_async_context(a_channel(next_one.address))
        partners.at(channel)
        for follower in followers:
            follower.at(channel)
        for one in partners.unknown:
            assert await partners.ask(one)
        happened = await ledger_of(durable_database_url)
        await followers[0].until_told(len(happened), following[0])
        wanted = [
            sum(concerns(event.transfer, name) for event in followers[0].told)
            for name in ("merchants/GRO", "merchants/CAF")
        ]
        for follower, task, count in zip(followers[1:], following[1:], wanted, strict=True):
            await follower.until_told(count, task)

    assert told_before < len(happened), "nothing was left to resume for: the test would prove nothing"
    assert all(follower.failures for follower in followers)
    assert followers[0].names == happened
    assert_each_is_told_its_own(followers)


async def test_processes_on_one_port_tell_the_same(durable_database_url: str) -> None:
    """Connections of one address reach several processes: each tells what all of them posted, in one order."""
    secret = await a_new_coalition(durable_database_url)
    stop = asyncio.Event()

    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(a_server_process(durable_database_url, processes="2"))
        world = await stack.enter_async_context(a_world(server.address, secret))
        partners = await partners_of(world)
        channels = [await stack.enter_async_context(a_channel(server.address)) for _ in range(6)]
        followers = [Follower(world.operator.at(channel)) for channel in channels]
        following = await stack.enter_async_context(going_on(*(follower.follow() for follower in followers)))
        elsewhere = await stack.enter_async_context(a_channel(server.address))
        async with going_on(partners.trade_until(stop)) as (trading,):
            await partners.until_acknowledged(ENOUGH, trading)
            partners.at(elsewhere)
            await partners.until_acknowledged(2 * ENOUGH, trading)
            stop.set()
            await trading
        happened = await ledger_of(durable_database_url)
        for follower, task in zip(followers, following, strict=True):
            await follower.until_told(len(happened), task)

    assert not partners.failures
    assert [follower.names for follower in followers] == [happened] * len(followers)
