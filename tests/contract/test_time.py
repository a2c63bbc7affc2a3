"""What changes at an instant changes at that very instant: prices, rates, days and the ends of lots."""

from datetime import UTC, datetime, timedelta
from typing import Any

from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import types_pb2 as types
from tests.contract.pairs import Pair, a_pair
from tests.contract.refusals import refusal
from tests.movements import Member
from tests.worlds import EVERY_ROLE, Merchant, World, instant

# On a ledger that has not moved the clock goes back: each test below builds its own world before it moves anything.
EVE = datetime.fromisoformat("2026-02-28T12:00:00+08:00")
MIDNIGHT = datetime.fromisoformat("2026-03-01T00:00:00+08:00")


async def an_issuer(world: World, merchant_id: str) -> Merchant:
    """A merchant with every role."""
    return await world.merchant(merchant_id, *EVERY_ROLE)


async def issue_prices(merchant: Merchant, member: Member, amount: str) -> list[int]:
    """Award, and tell the price that was owed."""
    return [owed.price_micros for owed in (await merchant.earn(member, amount)).transfer.obligations]


async def test_a_price_holds_from_its_instant_on(own_world: World) -> None:
    """One award before midnight, one after; the earlier transfer keeps what it was made at."""
    await own_world.set_clock(EVE)
    tel, gro = await an_issuer(own_world, "TEL"), await an_issuer(own_world, "GRO")
    await own_world.currency("TEL", tel, issue=12_000)
    await own_world.price("TEL", effective=MIDNIGHT, issue=13_000)
    ada = await own_world.member("ada", [gro, tel])

    before = await gro.earn(ada, "1 TEL")
    await own_world.set_clock(MIDNIGHT)
    after = await gro.earn(ada, "1 TEL")

    assert [answer.transfer.obligations[0].price_micros for answer in (before, after)] == [12_000, 13_000]
    assert before.transfer.event_time.ToDatetime(UTC) < MIDNIGHT <= after.transfer.event_time.ToDatetime(UTC)


async def test_a_price_yet_to_come_is_none(own_world: World) -> None:
    """Refused until its instant, and that refusal stays; a new request after it is answered."""
    await own_world.set_clock(EVE)
    tel, gro = await an_issuer(own_world, "TEL"), await an_issuer(own_world, "GRO")
    await own_world.currency("TEL", tel)
    await own_world.price("TEL", effective=MIDNIGHT, issue=13_000)
    ada = await own_world.member("ada", [gro, tel])

    too_early = await refusal(gro.earn(ada, "1 TEL", "k1"))
    await own_world.set_clock(MIDNIGHT)

    assert too_early.reason == "NO_PRICE"
    assert await issue_prices(gro, ada, "1 TEL") == [13_000]
    assert await refusal(gro.earn(ada, "1 TEL", "k1")) == too_early


async def a_priced_pair(world: World, **terms: Any) -> Pair:
    """A pair published on the eve."""
    await world.set_clock(EVE)
    issuers = await an_issuer(world, "BNK"), await an_issuer(world, "AIR")
    return await a_pair(world, issuers, **terms)


async def test_a_rate_changes_at_its_instant(own_world: World) -> None:
    """Until midnight 1:1, from midnight on 2:1, and no moment without a rate."""
    pair = await a_priced_pair(own_world, end_time=instant(MIDNIGHT))
    successor = await own_world.rate(pair.source, pair.target, "2:1", effective_time=instant(MIDNIGHT))
    ada = await pair.member(100)

    before = await pair.convert(ada, 10)
    await own_world.set_clock(MIDNIGHT)
    after = await pair.convert(ada, 10)

    assert [a.transfer.received.units for a in (before, after)] == [10, 5]
    assert [a.transfer.rate for a in (before, after)] == [pair.rate.name, successor.name]


async def test_a_rate_that_has_ended_converts_nothing(own_world: World) -> None:
    """From the very instant of its end."""
    pair = await a_priced_pair(own_world, end_time=instant(MIDNIGHT))
    ada = await pair.member(100)
    await pair.convert(ada, 10)

    await own_world.set_clock(MIDNIGHT)

    assert (await refusal(pair.convert(ada, 10))).reason == "NO_RATE"


async def test_a_rate_is_judged_by_the_prices_of_its_own_time(own_world: World) -> None:
    """The one that ends at midnight need not bear the prices of the next day; its successor must."""
    pair = await a_priced_pair(own_world, end_time=instant(MIDNIGHT))
    await own_world.price(pair.source, effective=MIDNIGHT, conversion_out=1)

    refused = await refusal(own_world.rate(pair.source, pair.target, "1:1", effective_time=instant(MIDNIGHT)))
    cheap = await own_world.rate(pair.source, pair.target, "1000:1", effective_time=instant(MIDNIGHT))

    assert refused.reason == "NEGATIVE_SPREAD"
    assert cheap.name


async def test_a_daily_cap_begins_anew_at_the_coalitions_midnight(own_world: World) -> None:
    """Shanghai's midnight, when in UTC it is still afternoon."""
    pair = await a_priced_pair(own_world, member_daily_cap_units=100)
    ada = await pair.member(1_000)
    await pair.convert(ada, 100)

    late = await refusal(pair.convert(ada, 1))
    await own_world.set_clock(MIDNIGHT)
    await pair.convert(ada, 100)

    assert late.metadata["used"] == "100"
    assert (await refusal(pair.convert(ada, 1))).metadata["used"] == "100"
    assert await pair.balances(ada) == (800, 200)


async def a_member_whose_points_end(world: World) -> tuple[Merchant, Member]:
    """An issuer of DAY, whose points end a day after they were earned, and a member with 10 that end at midnight."""
    await world.set_clock(MIDNIGHT - timedelta(days=2))
    tel = await an_issuer(world, "TEL")
    await world.currency(
        "DAY", tel, issue=1, redeem=1, expiry=types.ExpiryPolicy(kind=types.ExpiryPolicy.KIND_EXPLICIT)
    )
    ada = await world.member("ada", [tel])
    await tel.earn(ada, "10 DAY", expire_time=instant(MIDNIGHT))
    await tel.earn(ada, "5 DAY")
    return tel, ada


async def test_points_are_spendable_until_the_instant_they_end(own_world: World) -> None:
    """A moment before midnight all fifteen are there."""
    tel, ada = await a_member_whose_points_end(own_world)

    await own_world.set_clock(MIDNIGHT - timedelta(minutes=5))

    assert await tel.balances(ada) == {"DAY": 15}
    await tel.redeem(ada, "15 DAY")


async def test_points_that_ended_are_gone(own_world: World) -> None:
    """Neither spendable nor among the balance or the lots; what never ends is left."""
    tel, ada = await a_member_whose_points_end(own_world)

    await own_world.set_clock(MIDNIGHT)
    refused = await refusal(tel.redeem(ada, "6 DAY"))
    request = member_pb.ListLotsRequest(member=ada.name, currency="currencies/DAY")
    lots = (await tel.ask(tel.stubs.members.ListLots, request)).lots

    assert (refused.reason, refused.metadata["available"]) == ("INSUFFICIENT_POINTS", "5")
    assert await tel.balances(ada) == {"DAY": 5}
    assert [lot.remaining_units for lot in lots] == [5]
    await tel.redeem(ada, "5 DAY")
