"""A watcher that reads slowly, or not at all: it holds up nobody but itself, and misses nothing."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest
import structlog
from grpc import aio

from exchange.serving.telemetry import configure_logging
from tests.contract.cast import Cast, a_cast
from tests.contract.watching import Watch, listed, resources, watching
from tests.database import Databases
from tests.movements import Member, an_earn
from tests.servers import Server, a_server
from tests.worlds import World, a_world

BATCHES, IN_BATCH = 6, 500
MANY = BATCHES * IN_BATCH
"""Many times what the clients below take in advance."""
# 64 KiB for each stream, and no trying how much more the line would carry: on one machine that is all there is.
LITTLE_IN_ADVANCE = [
    ("grpc.http2.lookahead_bytes", 65_536),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.use_local_subchannel_pool", 1),
]


async def post_many(cast: Cast, member: Member) -> list[str]:
    """Award again and again; names of the transfers in order."""
    names: list[str] = []
    for _ in range(BATCHES):
        results = await cast.gro.batch(*(an_earn(member, "1 TEL") for _ in range(IN_BATCH)))
        names += [result.transfer.name for result in results]
    return names


async def until_behind(server: Server, count: int) -> None:
    """Wait until so many watchers, and no more, were not told everything that is known to have happened."""
    feed = server.api.events._feed
    async with asyncio.timeout(30):
        while sum(walk.place < feed._frontier.place for walk in feed._walks) != count:
            await asyncio.sleep(0.01)


async def test_who_reads_slowly_delays_nobody_and_misses_nothing(own_world: World, own_server: Server) -> None:
    """Ten do not read while thousands of events pass: one who does is told all of them, and so are they in the end."""
    cast = await a_cast(own_world)
    ada = await cast.member()
    watches: list[Watch] = []

    async with AsyncExitStack() as stack:
        for _ in range(11):
            channel = aio.insecure_channel(own_server.address, options=LITTLE_IN_ADVANCE)
            await stack.enter_async_context(channel)
            watch = await stack.enter_async_context(watching(cast.gro.at(channel), from_now=True))
            await watch.answer()
            watches.append(watch)
        reader, *sleepers = watches

        names = await post_many(cast, ada)
        assert resources(await reader.take(MANY)) == names
        # They have not read, so they cannot have been told.
        await until_behind(own_server, len(sleepers))

        for sleeper in sleepers:
            assert resources(await sleeper.take(MANY)) == names


async def test_who_reads_slowly_shares_a_connection_with_others_in_peace(own_world: World, own_server: Server) -> None:
    """Calls and another watch on the very connection go on."""
    cast = await a_cast(own_world)
    ada = await cast.member()

    async with (
        aio.insecure_channel(own_server.address, options=LITTLE_IN_ADVANCE) as channel,
        watching(cast.gro.at(channel), from_now=True) as sleeper,
        watching(cast.gro.at(channel), from_now=True) as reader,
    ):
        await sleeper.answer()
        await reader.answer()
        names = await post_many(cast, ada)

        assert resources(await reader.take(MANY)) == names
        await until_behind(own_server, 1)
        assert resources((await listed(cast.gro.at(channel), kinds=["KIND_TRANSFER"]))[0]) == names
        assert resources(await sleeper.take(MANY)) == names


async def test_a_server_stops_although_somebody_does_not_read(databases: Databases) -> None:
    """It does not wait for as long as calls under way may take; the last cursor that was read goes on elsewhere."""
    name = await databases.clone()
    url = databases.url_of(name)
    async with (
        a_server(url, drain_seconds=3_600) as server,
        a_world(server.address, server.operator_secret) as world,
        aio.insecure_channel(server.address, options=LITTLE_IN_ADVANCE) as channel,
    ):
        cast = await a_cast(world)
        ada = await cast.member()
        async with watching(cast.gro.at(channel), from_now=True) as sleeper:
            await sleeper.answer()
            names = await post_many(cast, ada)
            await until_behind(server, 1)
            await server.graceful.drain()
            read = await whatever_comes(sleeper)
    async with (
        a_server(url, operator_secret=server.operator_secret) as after,
        a_world(after.address, after.operator_secret) as world,
    ):
        rest, _ = await listed(cast.gro.at(world.stubs.channel), cursor=sleeper.cursor)
    await databases.drop(name)

    assert len(read) < MANY, "it read everything: the test would prove nothing"
    assert read + resources(rest) == names


async def whatever_comes(watch: Watch) -> list[str]:
    """What a client finds that begins to read when the server has gone."""
    read: list[str] = []
    while True:
        try:
            read += resources((await watch.answer()).events)
        except aio.AioRpcError:
            return read


async def test_a_client_that_leaves_without_reading_is_no_fault(
    databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its place is free again, and no incident is logged."""
    root, handlers = logging.getLogger(), list(logging.getLogger().handlers)
    configure_logging("info")
    name = await databases.clone()
    try:
        async with (
            a_server(databases.url_of(name)) as server,
            a_world(server.address, server.operator_secret) as world,
        ):
            cast = await a_cast(world)
            ada = await cast.member()
            async with (
                aio.insecure_channel(server.address, options=LITTLE_IN_ADVANCE) as channel,
                watching(cast.gro.at(channel), from_now=True) as sleeper,
            ):
                await sleeper.answer()
                await post_many(cast, ada)
                await until_behind(server, 1)
            async with asyncio.timeout(30):
                while server.api.events.watchers:
                    await asyncio.sleep(0.01)
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        await databases.drop(name)

    assert "incident" not in capsys.readouterr().err
