"""Promotions in what merchants are answered: each bonus is told wherever its transfer is, and who owes for it."""

from __future__ import annotations

from datetime import UTC

import pytest

from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import event_service_pb2 as event_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.pairs import a_pair
from tests.contract.promoted import end, owed, told, used_of
from tests.contract.refusals import refusal
from tests.contract.watching import listed, watching
from tests.movements import a_key, a_quoted_conversion, a_reversal, an_earn, item
from tests.worlds import EARNING, EXCHANGE, Merchant

PROMOTION, REVERSAL = types.Obligation.KIND_PROMOTION, types.Obligation.KIND_REVERSAL


@pytest.fixture
async def kiosk(cast: Cast, request: pytest.FixtureRequest) -> tuple[Merchant, str]:
    """A merchant that earns and issues a currency of its own at 12 000 micro-yuan, for one test's promotions."""
    name = f"P{abs(hash(request.node.name)) % 10**10}"
    merchant = await cast.world.merchant(name, EARNING, EXCHANGE)
    await cast.world.currency(name, merchant, issue=12_000, redeem=10_000, conversion_in=10_500, conversion_out=10_000)
    return merchant, name


async def test_an_award_tells_which_promotions_applied(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """And who owes for each, in the order the promotions were made; the same again when the request is repeated."""
    merchant, code = kiosk
    sponsors = {cast.bnk: 7_000, merchant: 3_000}
    await cast.world.promotion(f"{code}b", code, bonus_units=5, sponsors={cast.gro: 10_000})
    await cast.world.promotion(f"{code}a", code, at=merchant, bonus_bps=5_000, sponsors=sponsors)
    ada = await cast.world.member("ada", [merchant])
    asked = an_earn(ada, f"100 {code}")

    answer = await merchant.post(asked)
    again = await merchant.post(asked)

    assert told(answer.transfer) == [(f"{code}b", code, 5), (f"{code}a", code, 50)]
    assert owed(answer.transfer) == [
        (PROMOTION, "GRO", code, 60_000),
        (PROMOTION, "BNK", code, 420_000),
    ]
    assert again.replayed
    again.replayed = False
    assert again == answer
    assert await merchant.balances(ada) == {code: 155}


async def test_whoever_reads_the_transfer_is_told_too(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """By name, by request_id, by reference, in lists; a sponsor as well as whoever awarded."""
    merchant, code = kiosk
    await cast.world.promotion(code, code, bonus_units=5, sponsors={cast.gro: 10_000})
    ada = await cast.world.member("ada", [merchant])
    key = a_key()
    transfer = (await merchant.earn(ada, f"100 {code}", key, reference=f"r-{code}")).transfer
    stubs = cast.world.stubs.transfers

    read = await cast.gro.ask(stubs.GetTransfer, transfer_pb.GetTransferRequest(name=transfer.name))
    by_key = await merchant.ask(stubs.LookupTransfer, transfer_pb.LookupTransferRequest(request_id=key))
    by_reference = await merchant.ask(stubs.LookupTransfer, transfer_pb.LookupTransferRequest(reference=f"r-{code}"))
    listed = await merchant.ask(stubs.ListTransfers, transfer_pb.ListTransfersRequest())

    assert told(read.transfer) == [(code, code, 5)]
    assert [by_key.transfers[0], by_reference.transfers[0], listed.transfers[0]] == [transfer] * 3


async def test_events_tell_it_too(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Listed or watched: each transfer with its own bonuses, a reversal with what it took back; to sponsors as well."""
    merchant, code = kiosk
    stubs, begin = cast.world.stubs.events, event_pb.ListEventsRequest(from_now=True)
    cursor = (await merchant.ask(stubs.ListEvents, begin)).cursor
    await cast.world.promotion(code, code, bonus_units=5, budget_units=7, sponsors={cast.gro: 10_000})
    ada = await cast.world.member("ada", [merchant])
    given = [(await merchant.earn(ada, f"100 {code}")).transfer for _ in range(3)]
    returned = (await merchant.post(a_reversal(given[0]))).transfer
    transfers = [*given, returned]

    moved = [event_pb.Event.KIND_TRANSFER]
    for size in (1, 100):
        events, _ = await listed(merchant, cursor=cursor, kinds=moved, page_size=size)
        assert [event.transfer for event in events] == transfers
    async with watching(merchant, cursor=cursor, kinds=moved) as watch:
        assert [event.transfer for event in await watch.take(4)] == transfers
        later = (await merchant.post(a_reversal(given[1]))).transfer
        assert [event.transfer for event in await watch.take(1)] == [later]
    sponsors, _ = await listed(cast.gro, cursor=cursor, kinds=moved)

    assert [told(transfer) for transfer in transfers] == [[(code, code, 5)], [(code, code, 2)], [], [(code, code, 5)]]
    assert told(later) == [(code, code, 2)]
    seen = {event.resource: told(event.transfer) for event in sponsors}
    assert [seen[name.name] for name in (given[0], given[1], returned, later)] == [
        told(name) for name in (given[0], given[1], returned, later)
    ]


async def test_a_batch_and_a_stream_tell_it_of_each_item(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """With a budget of seven, items of one batch get five, two and none."""
    merchant, code = kiosk
    promotion = await cast.world.promotion(code, code, bonus_units=5, budget_units=7)
    ada = await cast.world.member("ada", [merchant])

    results = await merchant.batch(*(an_earn(ada, f"10 {code}") for _ in range(3)))
    stream = merchant.stubs.transfers.StreamTransfers(
        iter([transfer_pb.StreamTransfersRequest(item=item(a_reversal(results[0].transfer)))]),
        metadata=merchant.metadata,
    )
    (reversed_,) = [answer.result.transfer async for answer in stream]

    assert [told(result.transfer) for result in results] == [[(code, code, 5)], [(code, code, 2)], []]
    assert told(reversed_) == [(code, code, 5)]
    assert await used_of(cast.world, promotion) == 2


async def test_trying_an_award_tells_its_bonus_and_uses_nothing(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """validate_only."""
    merchant, code = kiosk
    promotion = await cast.world.promotion(code, code, bonus_units=5, budget_units=7)
    ada = await cast.world.member("ada", [merchant])

    tried = await merchant.earn(ada, f"10 {code}", validate_only=True)

    assert (tried.transfer.name, told(tried.transfer)) == ("", [(code, code, 5)])
    assert await used_of(cast.world, promotion) == 0


async def test_what_a_conversion_received_is_told_without_its_bonus(cast: Cast) -> None:
    """The rate's figures stand as they are; the bonus is beside them, and its sponsor owes the conversion-in price."""
    pair = await a_pair(cast.world, (cast.bnk, cast.air))
    await cast.world.promotion(
        pair.target, f"{pair.source}>{pair.target}", bonus_bps=1_000, sponsors={cast.gro: 4_000, cast.air: 6_000}
    )
    ada = await cast.member()
    await cast.bnk.earn(ada, f"3 000 {pair.source}")

    answer = (await cast.bnk.convert(ada, f"3 000 {pair.source}", pair.target)).transfer

    bonus = answer.received.units // 10
    assert answer.received.units > 0
    assert told(answer) == [(pair.target, pair.target, bonus)]
    in_price = answer.obligations[0].price_micros
    assert owed(answer)[-1] == (PROMOTION, "GRO", "AIR", bonus * in_price * 4 // 10)
    assert (await cast.bnk.balances(ada))[pair.target] == answer.received.units + bonus


async def test_a_quote_promises_no_bonus_and_a_conversion_by_it_gets_what_is_on(cast: Cast) -> None:
    """Its figures are without promotions; one that begins afterwards adds to it, one that has ended does not."""
    pair = await a_pair(cast.world, (cast.bnk, cast.air))
    ada = await cast.member()
    await cast.bnk.earn(ada, f"200 {pair.source}")
    before = await cast.bnk.quote(ada, pair.source, pair.target, source_units=100)
    promotion = await cast.world.promotion(pair.target, f"{pair.source}>{pair.target}", bonus_units=7)
    while_on = await cast.bnk.quote(ada, pair.source, pair.target, source_units=100)

    promoted = (await cast.bnk.post(a_quoted_conversion(ada, before))).transfer
    stubs = cast.world.stubs.directory
    await cast.world.operator.ask(stubs.EndPromotion, pb.EndPromotionRequest(name=promotion.name))
    plain = (await cast.bnk.post(a_quoted_conversion(ada, while_on))).transfer

    assert before.received.units == while_on.received.units == 100
    assert (promoted.received.units, told(promoted)) == (100, [(pair.target, pair.target, 7)])
    assert (plain.received.units, told(plain)) == (100, [])
    assert (await cast.bnk.balances(ada))[pair.target] == 207


async def test_a_lot_says_which_promotion_gave_it(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Beside the lot that was awarded; its funder is the sponsor with the greatest share."""
    merchant, code = kiosk
    await cast.world.promotion(code, code, bonus_units=5, sponsors={cast.gro: 4_000, cast.caf: 6_000})
    ada = await cast.world.member("ada", [merchant])
    await merchant.earn(ada, f"10 {code}")

    request = member_pb.ListLotsRequest(member=ada.name, currency=f"currencies/{code}")
    lots = (await merchant.ask(cast.world.stubs.members.ListLots, request)).lots

    assert [(lot.points.units, lot.promotion, lot.funder, lot.issue_price_micros) for lot in lots] == [
        (10, "", merchant.name, 12_000),
        (5, f"promotions/{code}", "merchants/CAF", 12_000),
    ]


async def test_a_reversal_tells_what_it_took_back(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Half of the award and half of its bonus; the sponsor is owed its part again."""
    merchant, code = kiosk
    promotion = await cast.world.promotion(code, code, bonus_units=10, budget_units=10, sponsors={cast.gro: 10_000})
    ada = await cast.world.member("ada", [merchant])
    award = await merchant.earn(ada, f"100 {code}")

    back = await merchant.post(a_reversal(award.transfer, units=50))

    assert told(back.transfer) == [(code, code, 5)]
    assert owed(back.transfer) == [(REVERSAL, code, "GRO", 60_000)]
    assert (await merchant.balances(ada), await used_of(cast.world, promotion)) == ({code: 55}, 5)


async def test_an_ended_promotion_gives_nothing_and_stands_there(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """From the answer on; the one that was given stays."""
    merchant, code = kiosk
    promotion = await cast.world.promotion(code, code, bonus_units=5, budget_units=50)
    ada = await cast.world.member("ada", [merchant])
    await merchant.earn(ada, f"10 {code}")
    before = await cast.world.now()

    ended = await end(cast.world, promotion)
    answer = await merchant.earn(ada, f"10 {code}")

    assert before <= ended.end_time.ToDatetime(UTC) <= await cast.world.now()
    assert (ended.used_units, told(answer.transfer)) == (5, [])
    refused = await refusal(end(cast.world, promotion))
    assert (refused.reason, refused.metadata["field"]) == ("TOO_LATE", "end_time")
