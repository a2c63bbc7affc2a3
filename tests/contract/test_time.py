"""What changes at an instant changes at that very instant: prices, rates, days and the ends of lots.

The tests share one server whose clock only goes forward: each begins at noon of a new day of the coalition's and lives
through the midnight that follows.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import refusal
from tests.database import Databases
from tests.movements import Member
from tests.servers import TIME_ZONE, a_server
from tests.worlds import World, a_world, instant


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the coalition's, at noon.

    Attributes:
        cast: the merchants.
        midnight: the end of the day, where the coalition lives.
    """

    cast: Cast
    midnight: datetime

    @property
    def world(self) -> World:
        """The operator's view."""
        return self.cast.world

    async def ends(self) -> None:
        """Midnight strikes."""
        await self.world.set_clock(self.midnight)


@pytest.fixture(scope="module")
async def long_lived(databases: Databases) -> AsyncIterator[Cast]:
    """The merchants on a server that lives through many days."""
    name = await databases.clone()
    async with (
        a_server(databases.url_of(name)) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        yield await a_cast(world)
    await databases.drop(name)


@pytest.fixture
async def day(long_lived: Cast) -> Day:
    """A new day."""
    here = (await long_lived.world.now()).astimezone(ZoneInfo(TIME_ZONE))
    noon = (here + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    await long_lived.world.set_clock(noon)
    return Day(long_lived, noon + timedelta(hours=12))


async def test_a_price_holds_from_its_instant_on(day: Day) -> None:
    """One award before midnight, one after; the earlier transfer keeps what it was made at."""
    await day.world.currency("PR1", day.cast.tel, issue=12_000)
    await day.world.price("PR1", effective=day.midnight, issue=13_000)
    ada = await day.cast.member()

    before = (await day.cast.gro.earn(ada, "1 PR1")).transfer
    await day.ends()
    after = (await day.cast.gro.earn(ada, "1 PR1")).transfer

    assert [transfer.obligations[0].price_micros for transfer in (before, after)] == [12_000, 13_000]
    assert before.event_time.ToDatetime(UTC) < day.midnight <= after.event_time.ToDatetime(UTC)


async def test_a_price_yet_to_come_is_none(day: Day) -> None:
    """Refused until its instant, and that refusal stays; a new request after it is answered."""
    await day.world.currency("PR2", day.cast.tel)
    await day.world.price("PR2", effective=day.midnight, issue=13_000)
    ada = await day.cast.member()

    too_early = await refusal(day.cast.gro.earn(ada, "1 PR2", "early"))
    await day.ends()
    earned = (await day.cast.gro.earn(ada, "1 PR2")).transfer

    assert too_early.reason == "NO_PRICE"
    assert earned.obligations[0].price_micros == 13_000
    assert await refusal(day.cast.gro.earn(ada, "1 PR2", "early")) == too_early


async def test_a_rate_changes_at_its_instant(day: Day) -> None:
    """Until midnight 1:1, from midnight on 2:1, and no moment without a rate."""
    pair = await day.cast.pair(end_time=instant(day.midnight))
    successor = await day.world.rate(pair.source, pair.target, "2:1", effective_time=instant(day.midnight))
    ada = await pair.member(100)

    before = await pair.convert(ada, 10)
    await day.ends()
    after = await pair.convert(ada, 10)

    assert [answer.transfer.received.units for answer in (before, after)] == [10, 5]
    assert [answer.transfer.rate for answer in (before, after)] == [pair.rate.name, successor.name]


async def test_a_rate_that_has_ended_converts_nothing(day: Day) -> None:
    """From the very instant of its end."""
    pair = await day.cast.pair(end_time=instant(day.midnight))
    ada = await pair.member(100)
    await pair.convert(ada, 10)

    await day.ends()

    assert (await refusal(pair.convert(ada, 10))).reason == "NO_RATE"


async def test_a_rate_is_judged_by_the_prices_of_its_own_time(day: Day) -> None:
    """The one that ends at midnight need not bear the prices of the next day; its successor must."""
    pair = await day.cast.pair(end_time=instant(day.midnight))
    await day.world.price(pair.source, effective=day.midnight, conversion_out=1)

    refused = await refusal(day.world.rate(pair.source, pair.target, "1:1", effective_time=instant(day.midnight)))
    cheap = await day.world.rate(pair.source, pair.target, "1000:1", effective_time=instant(day.midnight))

    assert refused.reason == "NEGATIVE_SPREAD"
    assert cheap.name


async def test_a_daily_cap_begins_anew_at_the_coalitions_midnight(day: Day) -> None:
    """Shanghai's midnight, when in UTC it is still afternoon."""
    pair = await day.cast.pair(member_daily_cap_units=100)
    ada = await pair.member(1_000)
    await pair.convert(ada, 100)

    late = await refusal(pair.convert(ada, 1))
    await day.ends()
    await pair.convert(ada, 100)

    assert day.midnight.astimezone(UTC).hour == 16
    assert late.metadata["used"] == "100"
    assert (await refusal(pair.convert(ada, 1))).metadata["used"] == "100"
    assert await pair.balances(ada) == (800, 200)


async def a_member_whose_points_end(day: Day, code: str) -> Member:
    """Ten points end at midnight, five never do."""
    expiry = types.ExpiryPolicy(kind=types.ExpiryPolicy.KIND_EXPLICIT)
    await day.world.currency(code, day.cast.tel, issue=1, redeem=1, expiry=expiry)
    ada = await day.cast.member()
    await day.cast.tel.earn(ada, f"10 {code}", expire_time=instant(day.midnight))
    await day.cast.tel.earn(ada, f"5 {code}")
    return ada


async def test_points_are_spendable_until_the_instant_they_end(day: Day) -> None:
    """Five minutes before midnight all fifteen are there."""
    ada = await a_member_whose_points_end(day, "END1")

    await day.world.set_clock(day.midnight - timedelta(minutes=5))

    assert await day.cast.tel.balances(ada) == {"END1": 15}
    await day.cast.tel.redeem(ada, "15 END1")


async def test_points_that_ended_are_gone(day: Day) -> None:
    """Neither spendable nor among the balance or the lots; what never ends is left."""
    tel, ada = day.cast.tel, await a_member_whose_points_end(day, "END2")

    await day.ends()
    refused = await refusal(tel.redeem(ada, "6 END2"))
    request = member_pb.ListLotsRequest(member=ada.name, currency="currencies/END2")
    lots = (await tel.ask(tel.stubs.members.ListLots, request)).lots

    assert (refused.reason, refused.metadata["available"]) == ("INSUFFICIENT_POINTS", "5")
    assert await tel.balances(ada) == {"END2": 5}
    assert [lot.remaining_units for lot in lots] == [5]
    await tel.redeem(ada, "5 END2")
