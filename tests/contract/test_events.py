"""WatchEvents and ListEvents: what happened, in one order, resumed from any cursor."""

from datetime import UTC, datetime, timedelta

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import event_service_pb2 as pb
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from settlement.v1 import settlement_service_pb2 as settlement
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.cables import a_cable
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.contract.refusals import Refused, refusal, refusal_of
from tests.contract.stillness import connected
from tests.contract.watching import Kind, Watch, kinds, listed, resources, watching
from tests.database import Databases
from tests.movements import an_earn
from tests.servers import Server, a_server
from tests.worlds import EARNING, Party, World, a_world, instant


async def ask(party: Party, **fields: object) -> pb.ListEventsResponse:
    """A page of events."""
    return await party.ask(party.stubs.events.ListEvents, pb.ListEventsRequest(**fields))  # type: ignore[arg-type]


async def now(party: Party) -> str:
    """The cursor from which what happens from now on follows."""
    return (await ask(party, from_now=True)).cursor


async def last_words(watch: Watch) -> Refused:
    """The refusal a watch ends with, whatever it tells before."""
    while True:
        try:
            await watch.answer()
        except aio.AioRpcError as error:
            return refusal_of(error)


async def test_an_event_tells_the_transfer_as_it_was_answered(cast: Cast) -> None:
    """With the asker's own words for the asker; its name, its time, and a cursor."""
    cursor = await now(cast.gro)
    ada = await cast.member()
    transfer = (await cast.gro.earn(ada, "500 TEL", reference="receipt 7")).transfer

    (event,) = (await ask(cast.gro, cursor=cursor, kinds=[Kind.KIND_TRANSFER])).events

    assert (event.kind, event.resource, event.event_time) == (Kind.KIND_TRANSFER, transfer.name, transfer.event_time)
    assert event.transfer == transfer
    assert event.cursor


async def test_a_watch_tells_what_a_list_tells(cast: Cast) -> None:
    """From the same cursor: the same events with the same cursors, whatever the page size."""
    cursor = await now(cast.gro)
    ada = await cast.member()
    for _ in range(7):
        await cast.gro.earn(ada, "5 TEL")

    in_one, _ = await listed(cast.gro, cursor=cursor)
    in_many, _ = await listed(cast.gro, page_size=2, cursor=cursor)
    async with watching(cast.gro, cursor=cursor) as watch:
        watched = await watch.take(7)

    assert len(in_one) == 7
    assert in_one == in_many == watched


async def test_a_watch_tells_what_happens_while_it_lasts(cast: Cast) -> None:
    """The first message comes at once and says where it begins; then come events, one after the other."""
    ada = await cast.member()

    async with watching(cast.gro, from_now=True) as watch:
        first = await watch.answer()
        names = [(await cast.gro.earn(ada, "5 TEL")).transfer.name for _ in range(3)]
        told = await watch.take(3)

    assert (list(first.events), bool(first.cursor)) == ([], True)
    assert resources(told) == names


async def test_every_cursor_resumes_right_behind_its_event(cast: Cast) -> None:
    """None is skipped and none comes again, by watching or by asking."""
    cursor = await now(cast.gro)
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


@pytest.mark.parametrize("kind", ["KIND_TRANSFER", "KIND_PRICE_PUBLISHED"])
async def test_only_the_kinds_asked_for_are_told(cast: Cast, world: World, kind: str) -> None:
    """By watching and by asking; the cursor passes what was left out."""
    cursor = await now(cast.tel)
    ada = await cast.member()
    await world.currency(f"K{kind[5:8]}", cast.tel, issue=1)
    await cast.gro.earn(ada, "5 TEL")

    events, end = await listed(cast.tel, cursor=cursor, kinds=[kind])
    async with watching(cast.tel, cursor=cursor, kinds=[kind]) as watch:
        watched = await watch.take(1)

    assert {event.kind for event in events} == {Kind.Value(kind)}
    assert watched == events[:1]
    assert (await listed(cast.tel, cursor=end))[0] == []


async def test_what_the_operator_changes_is_told_to_everybody(own_world: World) -> None:
    """Suspended and active again, priced, a rate published and ended: by name, in the order it was done."""
    cast = await a_cast(own_world)
    cursor = await now(cast.gen)
    book, table, operator = own_world.stubs.directory, own_world.stubs.rates, own_world.operator

    await operator.ask(book.SuspendMerchant, directory.SuspendMerchantRequest(name="merchants/GRO", reason="secret"))
    await operator.ask(book.ActivateMerchant, directory.ActivateMerchantRequest(name="merchants/GRO"))
    await operator.ask(book.SuspendCurrency, directory.SuspendCurrencyRequest(name="currencies/TEL"))
    await operator.ask(book.ActivateCurrency, directory.ActivateCurrencyRequest(name="currencies/TEL"))
    price = await own_world.price("TEL", issue=13_000, conversion_in=9_000, conversion_out=9_000)
    rate = await own_world.rate("TEL", "AIR", "30:1")
    await operator.ask(table.EndRate, rates.EndRateRequest(name=rate.name))

    events, _ = await listed(cast.gen, cursor=cursor)
    assert list(zip(kinds(events), resources(events), strict=True)) == [
        ("MERCHANT_SUSPENDED", "merchants/GRO"),
        ("MERCHANT_ACTIVATED", "merchants/GRO"),
        ("CURRENCY_SUSPENDED", "currencies/TEL"),
        ("CURRENCY_ACTIVATED", "currencies/TEL"),
        ("PRICE_PUBLISHED", price.name),
        ("RATE_PUBLISHED", rate.name),
        ("RATE_ENDED", rate.name),
    ]
    assert "secret" not in str(events)


async def test_a_change_that_was_only_tried_is_no_event(own_world: World) -> None:
    """Nor is one that was refused."""
    await a_cast(own_world)
    cursor = await now(own_world.operator)
    tried = rates.Rate(
        source_currency="currencies/TEL", target_currency="currencies/AIR", source_units=30, target_units=1
    )
    stub, request = own_world.stubs.rates.PublishRate, rates.PublishRateRequest

    await own_world.operator.ask(stub, request(rate=tried, validate_only=True))
    tried.source_currency, tried.source_units = "currencies/BNK", 30
    refused = await refusal(own_world.operator.ask(stub, request(rate=tried)))

    assert refused.reason == "RATE_OVERLAP"
    assert (await listed(own_world.operator, cursor=cursor))[0] == []


async def test_the_closing_of_a_window_parts_its_transfers_from_the_next_ones(own_world: World) -> None:
    """Before the event stands what is in the window, after it what is not."""
    cast = await a_cast(own_world)
    ada, cursor = await cast.member(), await now(cast.gro)
    maker = await own_world.party(directory.CALLER_ROLE_FINANCE_MAKER)
    stub = SettlementServiceStub(own_world.stubs.channel)

    await cast.gro.earn(ada, "5 TEL")
    await maker.ask(stub.CloseWindow, settlement.CloseWindowRequest(name="windows/1"))
    await cast.gro.earn(ada, "6 TEL")
    await maker.ask(stub.CloseWindow, settlement.CloseWindowRequest(name="windows/1"))

    events, _ = await listed(cast.gro, cursor=cursor)
    assert kinds(events) == ["TRANSFER", "WINDOW_CLOSED", "TRANSFER"]
    assert (events[0].transfer.window, events[1].resource, events[2].transfer.window) == (
        "windows/1",
        "windows/1",
        "windows/2",
    )


async def test_a_page_holds_fifty_unless_it_says_otherwise(cast: Cast, world: World) -> None:
    """And says whether there is more; its cursor goes on."""
    merchant = await world.merchant("EventPages", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    cursor = await now(merchant)
    await merchant.batch(*(an_earn(ada, "1 TEL") for _ in range(60)))

    first = await ask(merchant, cursor=cursor)
    second = await ask(merchant, cursor=first.cursor)

    assert (len(first.events), first.more) == (50, True)
    assert (len(second.events), second.more) == (10, False)


async def test_a_long_backlog_comes_in_messages_of_bounded_size(cast: Cast, world: World) -> None:
    """A hundred events at most; each message's cursor is that of its last event, or beyond it."""
    merchant = await world.merchant("Backlog", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    cursor = await now(merchant)
    results = await merchant.batch(*(an_earn(ada, "1 TEL") for _ in range(730)))

    told: list[str] = []
    async with watching(merchant, cursor=cursor) as watch:
        while len(told) < 730:
            answer = await watch.answer()
            assert len(answer.events) <= 100
            told += resources(answer.events)
            if len(told) == 730:
                assert (await listed(merchant, cursor=answer.cursor))[0] == []

    assert told == [result.transfer.name for result in results]


@pytest.mark.provokes("INVALID_CURSOR")
async def test_a_cursor_is_the_exchanges_own_or_refused(cast: Cast, server: Server) -> None:
    """Cut, altered, of another list, made up, or signed for a place the ledger never came to."""
    cursor = await now(cast.gro)
    far = server.api.events.cursors.seal(2**62)
    token = (
        await cast.gro.ask(cast.gro.stubs.directory.ListMerchants, directory.ListMerchantsRequest(page_size=1))
    ).next_page_token
    altered = cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]

    for wrong in (cursor[:-1], cursor + "A", cursor * 40, altered, cursor[:-2] + "==", "é" * 28, "A" * 28, token, far):
        listing = await refusal(ask(cast.gro, cursor=wrong))
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

    refused = await refusal(ask(cast.gro, cursor=old))
    async with watching(cast.gro, cursor=old) as watch:
        assert await last_words(watch) == refused

    assert refused.metadata == {"field": "cursor", "oldest": events[2].cursor}
    whole = [*resources(events)[3:], earned]
    assert resources((await listed(cast.gro, cursor=refused.metadata["oldest"]))[0]) == whole
    assert resources((await listed(cast.gro))[0]) == whole


async def test_a_cursor_and_from_now_exclude_one_another(cast: Cast) -> None:
    """One says where to go on, the other that there is nothing to go on from."""
    refused = await refusal(ask(cast.gro, cursor=await now(cast.gro), from_now=True))

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
            await ask(world.operator)
        while server.api.events.watchers:
            await ask(world.operator)
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


async def test_transfers_and_events_agree(own_world: World) -> None:
    """Everything in the ledger is told to the operator, in its order, and nothing else."""
    cast = await a_cast(own_world)
    ada = await cast.member("500 TEL", "6 000 BNK")
    redeemed = (await cast.caf.redeem(ada, "100 TEL")).transfer
    await cast.bnk.convert(ada, "6 000 BNK", "AIR")
    await cast.caf.post(transfers.ReverseTransferRequest(request_id="back", original=redeemed.name, units=40))

    events, _ = await listed(own_world.operator, kinds=[Kind.KIND_TRANSFER])
    stub = own_world.stubs.transfers.ListTransfers
    pages = await every_page(own_world.operator, stub, transfers.ListTransfersRequest, 1_000)

    assert [event.transfer for event in events] == [transfer for page in pages for transfer in page.transfers]
    assert len(events) == 5
