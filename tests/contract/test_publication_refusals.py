"""Every no to the operator: merchants, currencies, prices, rates and keys."""

from datetime import datetime, timedelta

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import rate_service_pb2 as rate_pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.publications import a_rate
from tests.servers import Server
from tests.worlds import World, instant


@pytest.mark.provokes("RESOURCE_EXISTS")
@pytest.mark.parametrize("merchant_id", ["GRO", "gro", "OPR"])
@pytest.mark.usefixtures("cast")
async def test_a_merchants_id_is_taken_once_in_whatever_case(world: World, server: Server, merchant_id: str) -> None:
    """People would confuse GRO and gro; the operator's id is taken too."""
    async with nothing_changes(server):
        refused = await refusal(world.merchant(merchant_id))

    assert refused.resource == f"merchants/{merchant_id}"


async def test_a_currency_code_is_taken_once(world: World, cast: Cast, server: Server) -> None:
    """Nobody issues a second TEL."""
    async with nothing_changes(server):
        refused = await refusal(world.currency("TEL", cast.air))

    assert (refused.reason, refused.resource) == ("RESOURCE_EXISTS", "currencies/TEL")


async def test_an_unknown_issuer_is_not_found(world: World, server: Server) -> None:
    """A currency needs somebody who owes for it."""
    wanted = types.Currency(name="currencies/NIX", issuer="merchants/NIX", settlement_currency="CNY")
    request = directory_pb.CreateCurrencyRequest(currency=wanted)

    async with nothing_changes(server):
        refused = await refusal(world.operator.ask(world.stubs.directory.CreateCurrency, request))

    assert refused.metadata == {"resource": "merchants/NIX", "field": "currency.issuer"}


@pytest.mark.parametrize("case", ["same", "other member", "other reference"])
async def test_a_reference_and_a_member_are_bound_to_one_another(
    world: World, cast: Cast, server: Server, case: str
) -> None:
    """The very link again is no error; a second one of either side is taken already."""
    ada, bob = await cast.member(), await world.member("bob", [cast.caf])
    link = member_pb.LinkMemberRequest(
        member=bob.name if case == "other member" else ada.name,
        reference="another" if case == "other reference" else ada.reference,
    )

    async with nothing_changes(server):
        if case == "same":
            assert (await cast.gro.ask(cast.gro.stubs.members.LinkMember, link)).replayed
        else:
            refused = await refusal(cast.gro.ask(cast.gro.stubs.members.LinkMember, link))
            assert (refused.reason, refused.resource) == ("RESOURCE_EXISTS", link.member)


@pytest.mark.provokes("TOO_LATE")
@pytest.mark.usefixtures("cast")
async def test_no_price_is_published_for_the_past(world: World, server: Server) -> None:
    """What happened keeps its price."""
    yesterday = await world.now() - timedelta(days=1)

    async with nothing_changes(server):
        refused = await refusal(world.price("TEL", effective=yesterday, issue=1))

    assert refused.metadata["field"] == "price.effective_time"


async def test_a_second_price_for_the_same_instant_is_taken(world: World, cast: Cast, server: Server) -> None:
    """There would be two truths."""
    await world.currency("TWO", cast.tel)
    tomorrow = await world.now() + timedelta(days=1)
    await world.price("TWO", effective=tomorrow, issue=1)

    async with nothing_changes(server):
        refused = await refusal(world.price("TWO", effective=tomorrow, issue=2))

    assert refused.reason == "RESOURCE_EXISTS"


async def test_a_rate_begins_neither_in_the_past_nor_after_its_end(cast: Cast, world: World, server: Server) -> None:
    """The first would reprice what happened, the second would never hold."""
    pair = await cast.pair()
    now = await world.now()
    await world.operator.ask(world.stubs.rates.EndRate, rate_pb.EndRateRequest(name=pair.rate.name))
    past = {"effective_time": now - timedelta(days=1)}
    inside_out = {"effective_time": now + timedelta(days=2), "end_time": now + timedelta(days=1)}

    async with nothing_changes(server):
        begun = await refusal(world.rate(pair.source, pair.target, "1:1", **past))
        ended = await refusal(world.rate(pair.source, pair.target, "1:1", **inside_out))

    assert (begun.reason, begun.metadata["field"]) == ("TOO_LATE", "rate.effective_time")
    assert (ended.reason, ended.metadata["field"]) == ("TOO_LATE", "rate.end_time")


async def test_a_rate_ends_once_and_never_in_the_past(cast: Cast, world: World, server: Server) -> None:
    """An end that was told is not moved back, nor put where conversions may have been made."""
    pair = await cast.pair()
    end, operator = world.stubs.rates.EndRate, world.operator
    past = await world.now() - timedelta(days=1)

    async with nothing_changes(server):
        backdated = await refusal(
            operator.ask(end, rate_pb.EndRateRequest(name=pair.rate.name, end_time=instant(past)))
        )
    await operator.ask(end, rate_pb.EndRateRequest(name=pair.rate.name))
    async with nothing_changes(server):
        again = await refusal(operator.ask(end, rate_pb.EndRateRequest(name=pair.rate.name)))

    assert [no.reason for no in (backdated, again)] == ["TOO_LATE", "TOO_LATE"]
    assert [no.metadata["field"] for no in (backdated, again)] == ["end_time", "end_time"]


@pytest.mark.provokes("RATE_OVERLAP")
async def test_two_versions_of_a_pair_never_hold_at_once(cast: Cast, world: World, server: Server) -> None:
    """The version in the way is named; validating says the same."""
    pair = await cast.pair()
    request = rate_pb.PublishRateRequest(rate=a_rate(pair.source, pair.target, "2:1"), validate_only=True)

    async with nothing_changes(server):
        published = await refusal(world.rate(pair.source, pair.target, "2:1"))
        validated = await refusal(world.operator.ask(world.stubs.rates.PublishRate, request))

    assert published.metadata == validated.metadata
    assert published.metadata == {
        "source": f"currencies/{pair.source}",
        "target": f"currencies/{pair.target}",
        "overlaps": pair.rate.name,
    }


async def test_versions_that_touch_do_not_overlap(cast: Cast, world: World) -> None:
    """Intervals are half-open: one begins at the very instant at which the other ends."""
    now = await world.now()
    noon, evening = now + timedelta(hours=1), now + timedelta(hours=9)
    pair = await cast.pair(effective_time=noon, end_time=evening)

    before = await world.rate(pair.source, pair.target, "2:1", end_time=noon)
    after = await world.rate(pair.source, pair.target, "2:1", effective_time=evening)
    before_noon, from_evening = noon - timedelta(microseconds=1), evening
    overlapping = [
        await refusal(world.rate(pair.source, pair.target, "2:1", effective_time=before_noon, end_time=noon)),
        await refusal(world.rate(pair.source, pair.target, "2:1", effective_time=from_evening)),
    ]

    assert [no.metadata["overlaps"] for no in overlapping] == [before.name, after.name]


@pytest.mark.provokes("NEGATIVE_SPREAD")
@pytest.mark.usefixtures("cast")
async def test_a_rate_that_would_cost_the_operator_is_not_published(world: World, server: Server) -> None:
    """5 TEL pay 50 000 micro-yuan, an AIR costs 55 000; at 6 the operator keeps 5 000."""
    async with nothing_changes(server):
        refused = await refusal(world.rate("TEL", "AIR", "5:1"))
    validated = rate_pb.PublishRateRequest(rate=a_rate("TEL", "AIR", "6:1"), validate_only=True)
    await world.operator.ask(world.stubs.rates.PublishRate, validated)

    assert refused.metadata["source"] == "currencies/TEL"
    assert (refused.metadata["out_micros"], refused.metadata["in_micros"]) == ("10000", "55000")


async def test_a_bonus_counts_as_cost(cast: Cast) -> None:
    """11 points minted for 10 at equal prices is a loss; a price that leaves a tenth allows it."""
    dear = await cast.pair(out_price=1_100, in_price=1_000, bonus_every_units=10, bonus_units=1)

    refused = await refusal(cast.pair(out_price=1_099, in_price=1_000, bonus_every_units=10, bonus_units=1))

    assert dear.rate.bonus_units == 1
    assert refused.reason == "NEGATIVE_SPREAD"


@pytest.mark.parametrize("side", ["out", "in"])
async def test_a_price_that_would_cost_the_operator_is_not_published(
    cast: Cast, world: World, server: Server, side: str
) -> None:
    """Neither a smaller out-price of the source nor a greater in-price of the target, now or later."""
    pair = await cast.pair(out_price=1_000, in_price=1_000)
    later = await world.now() + timedelta(days=30)

    async def worsen(at: datetime | None) -> types.Price:
        if side == "out":
            return await world.price(pair.source, effective=at, conversion_out=999)
        return await world.price(pair.target, effective=at, conversion_in=1_001)

    async with nothing_changes(server):
        now, then = await refusal(worsen(None)), await refusal(worsen(later))

    assert [no.reason for no in (now, then)] == ["NEGATIVE_SPREAD", "NEGATIVE_SPREAD"]


async def test_a_rate_is_held_to_prices_already_published_for_later(cast: Cast, world: World, server: Server) -> None:
    """A price of next month, published before the rate, would cost the operator then."""
    pair = await cast.pair(out_price=1_000, in_price=1_000)
    end = rate_pb.EndRateRequest(name=pair.rate.name)
    await world.operator.ask(world.stubs.rates.EndRate, end)
    later = await world.now() + timedelta(days=30)
    await world.price(pair.source, effective=later, conversion_out=999)

    async with nothing_changes(server):
        refused = await refusal(world.rate(pair.source, pair.target, "1:1"))
    short = await world.rate(pair.source, pair.target, "1:1", end_time=later)

    assert refused.reason == "NEGATIVE_SPREAD"
    assert short.name


@pytest.mark.provokes("SETTLEMENT_CURRENCY_MISMATCH")
async def test_no_rate_joins_two_kinds_of_money(world: World, cast: Cast, server: Server) -> None:
    """A spread between yuan and yen would mean nothing."""
    await world.currency("YEN", cast.air, money="JPY", conversion_in=1)

    async with nothing_changes(server):
        refused = await refusal(world.rate("BNK", "YEN", "1:1"))

    assert refused.metadata == {"source": "currencies/BNK", "target": "currencies/YEN"}


async def test_no_rate_joins_a_currency_without_a_price(world: World, cast: Cast, server: Server) -> None:
    """What it would cost the operator cannot be told."""
    await world.currency("NOP", cast.air)

    async with nothing_changes(server):
        refused = await refusal(world.rate("BNK", "NOP", "1:1"))

    assert (refused.reason, refused.metadata["currency"]) == ("NO_PRICE", "currencies/NOP")
    assert refused.metadata["price"] == "conversion_in"


async def test_validating_a_rate_publishes_nothing(cast: Cast, world: World, server: Server) -> None:
    """All checks, no write; the answer has no name."""
    pair = await cast.pair()
    end = rate_pb.EndRateRequest(name=pair.rate.name)
    await world.operator.ask(world.stubs.rates.EndRate, end)
    request = rate_pb.PublishRateRequest(rate=a_rate(pair.source, pair.target, "3:1"), validate_only=True)

    async with nothing_changes(server):
        answer = await world.operator.ask(world.stubs.rates.PublishRate, request)

    assert (answer.rate.name, answer.rate.source_units) == ("", 3)
