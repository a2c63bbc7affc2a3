"""A watch for as long as it lasts: signs of life while nothing happens, and a reason when it ends."""

from datetime import UTC, datetime, timedelta

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from tests.contract.cables import a_cable
from tests.contract.cast import a_cast
from tests.contract.refusals import refusal_of
from tests.contract.watching import a_page, last_words, listed, resources, watching
from tests.database import Databases
from tests.servers import a_server
from tests.worlds import EARNING, Party, World, a_world, instant


async def test_a_quiet_watch_says_that_it_is_alive(databases: Databases) -> None:
    """Signs of life carry a cursor; what happened between two of them is not lost."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name), event_heartbeat_seconds=0.05) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        gro = await world.merchant("GRO", EARNING)
        await world.currency("TEL", gro, issue=1)
        ada = await world.member("ada", [gro])
        async with watching(gro, from_now=True) as watch:
            signs = [await watch.answer() for _ in range(5)]
            earned = (await gro.earn(ada, "5 TEL")).transfer
        resumed, _ = await listed(gro, cursor=signs[-1].cursor)
    await databases.drop(name)

    assert [list(sign.events) for sign in signs] == [[]] * 5
    assert resources(resumed) == [earned.name]


async def test_a_busy_order_with_nothing_for_the_watcher_moves_its_cursor(databases: Databases) -> None:
    """A sign of life says how far it has looked, so that resuming is short."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name), event_heartbeat_seconds=0.05) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        gro, gen = await world.merchant("GRO", EARNING), await world.merchant("GEN")
        await world.currency("TEL", gro, issue=1)
        ada = await world.member("ada", [gro])
        async with watching(gen, from_now=True) as watch:
            first = await watch.answer()
            await gro.earn(ada, "5 TEL")
            while (await watch.answer()).cursor == first.cursor:
                pass
        seen, _ = await listed(gen, cursor=first.cursor)
        after, _ = await listed(gro, cursor=watch.cursor)
    await databases.drop(name)

    assert (seen, after) == ([], [])


async def test_a_server_that_shuts_down_tells_watchers_to_go_elsewhere(databases: Databases) -> None:
    """UNAVAILABLE with a delay; the cursor they have is good at the next one."""
    name = await databases.clone()
    url = databases.url_of(name)
    async with (
        a_server(url) as server,
        a_world(server.address, server.operator_secret) as world,
        watching(world.operator, from_now=True) as watch,
    ):
        cursor = (await watch.answer()).cursor
        await server.graceful.drain()
        with pytest.raises(aio.AioRpcError) as raised:
            await watch.answer()
    async with (
        a_server(url, operator_secret=server.operator_secret) as after,
        a_world(after.address, after.operator_secret) as world,
    ):
        assert (await listed(world.operator, cursor=cursor))[0] == []
    await databases.drop(name)

    assert refusal_of(raised.value).reason == "SERVER_DRAINING"


@pytest.mark.provokes("DATABASE_UNAVAILABLE")
async def test_a_watch_ends_when_nobody_knows_what_happens(databases: Databases) -> None:
    """Signs of life would be lies while the database is away; resumed when it is back, nothing is missing."""
    name = await databases.clone()
    async with (
        a_cable(databases.url_of(name)) as cable,
        a_server(databases.url_of(name)) as other,
        a_server(cable.url, operator_secret=other.operator_secret) as server,
        a_world(server.address, other.operator_secret) as world,
        a_world(other.address, other.operator_secret) as elsewhere,
    ):
        cast = await a_cast(elsewhere)
        ada = await cast.member()
        async with watching(world.operator, from_now=True) as watch:
            await watch.answer()
            await cable.cut()
            refused = await last_words(watch)
        earned = (await cast.gro.earn(ada, "5 TEL")).transfer.name
        await cable.mend()
        async with watching(world.operator, cursor=watch.cursor) as resumed:
            told = await resumed.take(1)
    await databases.drop(name)

    assert refused.reason == "DATABASE_UNAVAILABLE"
    assert resources(told) == [earned]


async def test_no_more_watch_than_the_server_takes(databases: Databases) -> None:
    """One more is refused with a delay, and served when another has left; asking by page goes on."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name), event_watchers_max=2) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        async with watching(world.operator) as one, watching(world.operator) as two:
            await one.answer()
            await two.answer()
            async with watching(world.operator) as third:
                with pytest.raises(aio.AioRpcError) as raised:
                    await third.answer()
            await a_page(world.operator)
        while server.api.events.watchers:
            await a_page(world.operator)
        async with watching(world.operator) as late:
            await late.answer()
    await databases.drop(name)

    assert refusal_of(raised.value).reason == "SERVER_BUSY"
    assert refusal_of(raised.value).metadata == {"limit": "2"}


async def test_a_watch_ends_with_its_key(world: World) -> None:
    """Revoked while it lasts and nothing else happens: the watcher is told at once."""
    leaving = await world.merchant("Leaving", EARNING)

    async with watching(leaving, from_now=True) as watch:
        await watch.answer()
        await world.operator.ask(world.stubs.directory.RevokeApiKey, directory.RevokeApiKeyRequest(name=leaving.key))

        assert (await last_words(watch)).reason == "CREDENTIAL_UNKNOWN"


async def test_a_watch_ends_when_its_key_expires(databases: Databases) -> None:
    """By the clock of the real world, as any call of it would; heard with the next sign of life."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name), event_heartbeat_seconds=0.05) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        ends = instant(datetime.now(UTC) + timedelta(seconds=2))
        wanted = directory.ApiKey(caller_role=directory.CALLER_ROLE_AUDITOR, expire_time=ends)
        request = directory.IssueApiKeyRequest(api_key=wanted)
        issued = await world.operator.ask(world.stubs.directory.IssueApiKey, request)
        async with watching(Party(world.stubs, issued.secret), from_now=True) as watch:
            refused = await last_words(watch)
    await databases.drop(name)

    assert refused.reason == "CREDENTIAL_UNKNOWN"
