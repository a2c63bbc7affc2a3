"""ListEvents and WatchEvents: what happened is told by both, in one order, in pages and messages of bounded size."""

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from settlement.v1 import settlement_service_pb2 as settlement
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.cast import Cast, a_cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.contract.watching import Kind, a_page, cursor_now, kinds, listed, resources, watching
from tests.movements import an_earn
from tests.worlds import EARNING, World


async def test_an_event_tells_the_transfer_as_it_was_answered(cast: Cast) -> None:
    """With the asker's own words for the asker; its name, its time, and a cursor."""
    cursor = await cursor_now(cast.gro)
    ada = await cast.member()
    transfer = (await cast.gro.earn(ada, "500 TEL", reference="receipt 7")).transfer

    (event,) = (await a_page(cast.gro, cursor=cursor, kinds=[Kind.KIND_TRANSFER])).events

    assert (event.kind, event.resource, event.event_time) == (Kind.KIND_TRANSFER, transfer.name, transfer.event_time)
    assert event.transfer == transfer
    assert event.cursor


async def test_a_watch_tells_what_a_list_tells(cast: Cast) -> None:
    """From the same cursor: the same events with the same cursors, whatever the page size."""
    cursor = await cursor_now(cast.gro)
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


@pytest.mark.parametrize("kind", ["KIND_TRANSFER", "KIND_PRICE_PUBLISHED"])
async def test_only_the_kinds_asked_for_are_told(cast: Cast, world: World, kind: str) -> None:
    """By watching and by asking; the cursor passes what was left out."""
    cursor = await cursor_now(cast.tel)
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
    cursor = await cursor_now(cast.gen)
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
    cursor = await cursor_now(own_world.operator)
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
    ada, cursor = await cast.member(), await cursor_now(cast.gro)
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
    cursor = await cursor_now(merchant)
    await merchant.batch(*(an_earn(ada, "1 TEL") for _ in range(60)))

    first = await a_page(merchant, cursor=cursor)
    second = await a_page(merchant, cursor=first.cursor)

    assert (len(first.events), first.more) == (50, True)
    assert (len(second.events), second.more) == (10, False)


async def test_a_long_backlog_comes_in_messages_of_bounded_size(cast: Cast, world: World) -> None:
    """A hundred events at most; each message's cursor is that of its last event, or beyond it."""
    merchant = await world.merchant("Backlog", EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    cursor = await cursor_now(merchant)
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
