"""Promotions on the wire: begun and ended by the operator, seen by those they concern, told of in every answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import event_service_pb2 as event_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.pairs import a_pair
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.contract.watching import listed, watching
from tests.movements import a_key, a_quoted_conversion, a_reversal, an_earn, item
from tests.servers import Server
from tests.worlds import EARNING, EXCHANGE, Merchant, World, a_promotion, instant

PROMOTION, REVERSAL = types.Obligation.KIND_PROMOTION, types.Obligation.KIND_REVERSAL


@pytest.fixture
async def kiosk(cast: Cast, request: pytest.FixtureRequest) -> tuple[Merchant, str]:
    """A merchant that earns and issues a currency of its own at 12 000 micro-yuan, for one test's promotions."""
    name = f"P{abs(hash(request.node.name)) % 10**10}"
    merchant = await cast.world.merchant(name, EARNING, EXCHANGE)
    await cast.world.currency(name, merchant, issue=12_000, redeem=10_000, conversion_in=10_500, conversion_out=10_000)
    return merchant, name


async def used_of(world: World, promotion: pb.Promotion) -> int:
    """Points given of its budget."""
    request = pb.GetPromotionRequest(name=promotion.name)
    return (await world.operator.ask(world.stubs.directory.GetPromotion, request)).promotion.used_units


def told(transfer: types.Transfer) -> list[tuple[str, str, int]]:
    """Promotion, currency and points of each bonus of a transfer."""
    return [
        (one.promotion.partition("/")[2], one.points.currency.partition("/")[2], one.points.units)
        for one in transfer.promotions
    ]


def owed(transfer: types.Transfer) -> list[tuple[int, str, str, int]]:
    """Kind, debtor, creditor and micro-units of each obligation."""
    return [
        (one.kind, one.debtor.partition("/")[2], one.creditor.partition("/")[2], one.amount.micros)
        for one in transfer.obligations
    ]


async def test_a_promotion_is_as_the_operator_says(world: World, cast: Cast) -> None:
    """The answer is what anybody it concerns reads afterwards."""
    begins = await world.now() + timedelta(days=1)
    wanted = a_promotion(
        "As_said-1",
        "AIR",
        cast.caf,
        {cast.bnk: 7_000, cast.caf: 3_000},
        bonus_bps=10_000,
        member_cap_units=2_000,
        budget_units=5_000,
        effective_time=instant(begins),
        end_time=instant(begins + timedelta(days=30)),
    )

    request = pb.CreatePromotionRequest(promotion=wanted)
    created = (await world.operator.ask(world.stubs.directory.CreatePromotion, request)).promotion

    expected = pb.Promotion()
    expected.CopyFrom(wanted)
    expected.create_time.CopyFrom(created.create_time)
    assert created == expected
    get = pb.GetPromotionRequest(name="promotions/As_said-1")
    for party in (cast.caf, cast.bnk, cast.air, world.operator, await world.auditor()):
        assert (await party.ask(world.stubs.directory.GetPromotion, get)).promotion == created


async def test_a_promotion_is_none_of_the_business_of_others(world: World, cast: Cast) -> None:
    """Neither read nor listed by a merchant that does not award, sponsor or issue; the operator lists it."""
    await world.promotion("Secret", "AIR", at=cast.caf, sponsors={cast.bnk: 1}, bonus_units=1)
    stubs = world.stubs.directory

    refused = await refusal(cast.gro.ask(stubs.GetPromotion, pb.GetPromotionRequest(name="promotions/Secret")))

    assert refused.reason == "RESOURCE_NOT_FOUND"
    for party, seen in (
        (cast.gro, False),
        (cast.caf, True),
        (cast.bnk, True),
        (cast.air, True),
        (world.operator, True),
    ):
        listed = [
            one.name
            for page in await every_page(party, stubs.ListPromotions, pb.ListPromotionsRequest, 1)
            for one in page.promotions
        ]
        assert ("promotions/Secret" in listed) == seen
        assert listed == sorted(listed)


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


async def end(world: World, promotion: pb.Promotion, **fields: Any) -> pb.Promotion:
    """End it; the promotion as it stands."""
    request = pb.EndPromotionRequest(name=promotion.name, **fields)
    return (await world.operator.ask(world.stubs.directory.EndPromotion, request)).promotion


async def test_a_promotion_that_has_not_begun_ends_at_its_beginning(world: World, cast: Cast) -> None:
    """It never gives anything."""
    begins = instant(await world.now() + timedelta(days=3))
    promotion = await world.promotion("Never", "AIR", at=cast.caf, bonus_units=1, effective_time=begins)

    ended = await end(world, promotion)

    assert ended.end_time == ended.effective_time == begins


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end_time": -1}, "promotion.end_time"),
        ({"effective_time": -1}, "promotion.effective_time"),
        ({"effective_time": 2, "end_time": 2}, "promotion.end_time"),
    ],
    ids=["ends in the past", "begins in the past", "ends as it begins"],
)
async def test_a_promotion_lies_ahead(
    world: World, server: Server, change: dict[str, int], field: str, cast: Cast
) -> None:
    """Nothing that has happened gets a bonus afterwards."""
    now = await world.now()
    times: dict[str, Any] = {name: instant(now + timedelta(hours=hours)) for name, hours in change.items()}
    request = pb.CreatePromotionRequest(promotion=a_promotion("Past", "AIR", cast.caf, bonus_units=1, **times))

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(world.stubs.directory.CreatePromotion, request))

    assert (refused.reason, refused.metadata["field"]) == ("TOO_LATE", field)


async def test_an_id_is_taken_once_in_whatever_case(world: World, cast: Cast, server: Server) -> None:
    """Also by a promotion that has ended."""
    await end(world, await world.promotion("Taken", "AIR", at=cast.caf, bonus_units=1))

    async with nothing_changes(server):
        refused = await refusal(world.promotion("TAKEN", "AIR", at=cast.caf, bonus_units=1))

    assert (refused.reason, refused.metadata["resource"]) == ("RESOURCE_EXISTS", "promotions/TAKEN")


def flawed(**fields: Any) -> pb.Promotion:
    """A promotion with something that does not fit together."""
    promotion = pb.Promotion(
        name="promotions/Flawed", kind=pb.Promotion.KIND_EARN_BONUS, currency="currencies/AIR", bonus_units=1
    )
    promotion.MergeFrom(pb.Promotion(**fields))
    return promotion


def sponsors(*shares: tuple[str, int]) -> Sequence[pb.PromotionSponsor]:
    """Merchants with their shares."""
    return [pb.PromotionSponsor(merchant=f"merchants/{merchant}", share_bps=share) for merchant, share in shares]


CONVERSION = pb.Promotion.KIND_CONVERSION_BONUS


@pytest.mark.parametrize(
    ("promotion", "field"),
    [
        (flawed(sponsors=sponsors(("BNK", 5_000), ("bnk", 5_000))), "promotion.sponsors"),
        (flawed(sponsors=sponsors(("BNK", 7_000), ("GRO", 3_001))), "promotion.sponsors"),
        (flawed(sponsors=sponsors(("BNK", 10_001))), "promotion.sponsors[0].share_bps"),
        (flawed(sponsors=sponsors(*((f"M{n}", 1) for n in range(51)))), "promotion.sponsors"),
        (flawed(source_currency="currencies/BNK"), "promotion.source_currency"),
        (flawed(kind=CONVERSION), "promotion.source_currency"),
        (flawed(kind=CONVERSION, source_currency="currencies/AIR"), "promotion.source_currency"),
        (flawed(kind=CONVERSION, source_currency="currencies/BNK", merchant="merchants/BNK"), "promotion.merchant"),
        (flawed(bonus_bps=1_000_001), "promotion.bonus_bps"),
        (flawed(bonus_bps=0), "promotion.bonus_bps"),
        (flawed(bonus_units=-1), "promotion.bonus_units"),
        (pb.Promotion(name="promotions/F", kind=CONVERSION, currency="currencies/AIR"), "promotion.bonus"),
    ],
)
async def test_what_does_not_fit_together_is_no_promotion(
    world: World, server: Server, promotion: pb.Promotion, field: str
) -> None:
    """Named by its field."""
    request = pb.CreatePromotionRequest(promotion=promotion)

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(world.stubs.directory.CreatePromotion, request))

    assert refused.reason == "INVALID_FIELD"
    assert field in refused.fields


async def test_a_bonus_that_makes_a_circle_gain_is_refused_with_the_circle(
    cast: Cast, world: World, server: Server
) -> None:
    """There and back for as much: 10 % on one way is more than that; where something is lost on the way, it may be."""
    pair = await cast.pair(ratio="1:1")
    await world.rate(pair.target, pair.source, "10:9")
    way = f"{pair.source}>{pair.target}"

    fits = await world.promotion(f"Fits{pair.source}", way, bonus_bps=1_000)
    async with nothing_changes(server):
        refused = await refusal(world.promotion(f"Over{pair.source}", way, bonus_bps=200))
        by_points = await refusal(world.promotion(f"Each{pair.source}", way, bonus_units=1))

    assert refused.reason == by_points.reason == "ROUND_TRIP_GAINS"
    assert set(refused.metadata["cycle"].split(" > ")) == {pair.source, pair.target}
    assert (refused.metadata["product"], by_points.metadata["product"]) == ("126/125", "189/100")
    assert fits.name in refused.metadata["promotions"]


async def test_a_rate_that_would_gain_with_a_promotion_is_refused(cast: Cast, world: World, server: Server) -> None:
    """10 % are given on the way there from tomorrow on: the way back may not give as much as there was."""
    pair = await cast.pair(ratio="1:1")
    tomorrow = await world.now() + timedelta(days=1)
    bonus = await world.promotion(
        f"Rate{pair.source}", f"{pair.source}>{pair.target}", bonus_bps=1_000, effective_time=instant(tomorrow)
    )

    async with nothing_changes(server):
        refused = await refusal(world.rate(pair.target, pair.source, "1:1"))
    await world.rate(pair.target, pair.source, "11:10")

    assert (refused.reason, refused.metadata["product"]) == ("ROUND_TRIP_GAINS", "11/10")
    assert (refused.metadata["since"], refused.metadata["promotions"]) == (tomorrow.isoformat(), bonus.name)
