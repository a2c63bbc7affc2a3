"""Cursors of events: everything that follows one is told, once, at any server and after any restart."""

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import refusal, refusal_of
from tests.contract.stillness import connected
from tests.contract.watching import a_page, cursor_now, kinds, last_words, listed, resources, watching
from tests.database import Databases
from tests.servers import Server, a_server
from tests.worlds import World, a_world


async def test_every_cursor_resumes_right_behind_its_event(cast: Cast) -> None:
    """None is skipped and none comes again, by watching or by asking."""
    cursor = await cursor_now(cast.gro)
    ada = await cast.member()
    names = [(await cast.gro.earn(ada, "5 TEL")).transfer.name for _ in range(4)]
    events, end = await listed(cast.gro, cursor=cursor)

    for place, event in enumerate(events[:-1], 1):
        assert resources((await listed(cast.gro, cursor=event.cursor))[0]) == names[place:]
        async with watching(cast.gro, cursor=event.cursor) as watch:
            assert resources(await watch.take(4 - place)) == names[place:]
    assert (await listed(cast.gro, cursor=end))[0] == []


async def test_without_a_cursor_one_begins_with_the_oldest_event(own_world: World) -> None:
    """A system that has lost its cursor reads everything again rather than missing something."""
    cast = await a_cast(own_world)
    ada = await cast.member("5 TEL")
    await cast.gro.earn(ada, "5 TEL")

    events, _ = await listed(cast.gro)

    assert kinds(events) == [*["PRICE_PUBLISHED"] * 3, "RATE_PUBLISHED", "TRANSFER"]
    async with watching(cast.gro) as watch:
        assert await watch.take(5) == events


@pytest.mark.provokes("INVALID_CURSOR")
async def test_a_cursor_is_the_exchanges_own_or_refused(cast: Cast, server: Server) -> None:
    """Cut, altered, of another list, made up, or signed for a place the ledger never came to."""
    cursor = await cursor_now(cast.gro)
    far = server.api.events.cursors.seal(2**62)
    token = (
        await cast.gro.ask(cast.gro.stubs.directory.ListMerchants, directory.ListMerchantsRequest(page_size=1))
    ).next_page_token
    altered = cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]

    for wrong in (cursor[:-1], cursor + "A", cursor * 40, altered, cursor[:-2] + "==", "é" * 28, "A" * 28, token, far):
        listing = await refusal(a_page(cast.gro, cursor=wrong))
        async with watching(cast.gro, cursor=wrong) as watch:
            with pytest.raises(aio.AioRpcError) as raised:
                await watch.answer()
        assert (listing.reason, listing.fields) == ("INVALID_CURSOR", ("cursor",))
        assert refusal_of(raised.value) == listing


@pytest.mark.provokes("CURSOR_EXPIRED")
async def test_a_cursor_from_before_what_is_kept_is_refused(own_world: World, own_server: Server) -> None:
    """It would skip something; where one may go on is told, and leaving the cursor out begins there."""
    cast = await a_cast(own_world)
    ada = await cast.member("5 TEL")
    events, _ = await listed(cast.gro)
    old, kept = events[1].cursor, own_server.api.events.cursors.open(events[2].cursor)
    async with connected(own_server.url) as owner:
        await owner.execute("UPDATE exchange.event_horizon SET place = $1", kept)
    earned = (await cast.gro.earn(ada, "5 TEL")).transfer.name

    refused = await refusal(a_page(cast.gro, cursor=old))
    async with watching(cast.gro, cursor=old) as watch:
        assert await last_words(watch) == refused

    assert refused.metadata == {"field": "cursor", "oldest": events[2].cursor}
    whole = [*resources(events)[3:], earned]
    assert resources((await listed(cast.gro, cursor=refused.metadata["oldest"]))[0]) == whole
    assert resources((await listed(cast.gro))[0]) == whole


async def test_a_cursor_and_from_now_exclude_one_another(cast: Cast) -> None:
    """One says where to go on, the other that there is nothing to go on from."""
    refused = await refusal(a_page(cast.gro, cursor=await cursor_now(cast.gro), from_now=True))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("from_now",))


async def test_cursors_survive_a_restart_and_serve_at_every_server(databases: Databases) -> None:
    """A cursor that one server gave is resumed at another, on whatever it has posted since, and at the next one."""
    name = await databases.clone()
    url = databases.url_of(name)
    async with a_server(url) as first, a_world(first.address, first.operator_secret) as world:
        cast = await a_cast(world)
        ada = await cast.member()
        async with watching(cast.gro, from_now=True) as watch:
            await watch.answer()
            before = (await cast.gro.earn(ada, "5 TEL")).transfer.name
            assert resources(await watch.take(1)) == [before]
        missed = (await cast.gro.earn(ada, "5 TEL")).transfer.name
    async with (
        a_server(url, operator_secret=first.operator_secret) as one,
        a_server(url, operator_secret=first.operator_secret) as other,
        a_world(one.address, first.operator_secret) as there,
        a_world(other.address, first.operator_secret) as elsewhere,
    ):
        posting, reading = cast.gro.at(there.stubs.channel), cast.gro.at(elsewhere.stubs.channel)
        async with watching(reading, cursor=watch.cursor) as resumed:
            assert resources(await resumed.take(1)) == [missed]
            posted = (await posting.earn(ada, "5 TEL")).transfer.name
            assert resources(await resumed.take(1)) == [posted]
    await databases.drop(name)
