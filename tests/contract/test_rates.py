"""RateService: what is published, when it holds, and that it is never edited."""

from datetime import UTC, timedelta

from exchange.v1 import rate_service_pb2 as pb
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.publications import a_rate
from tests.worlds import EXCHANGE, World, instant


async def test_a_rate_is_published_as_the_operator_says(cast: Cast, world: World) -> None:
    """Every figure comes back, and stands in the list."""
    pair = await cast.pair()
    await world.operator.ask(world.stubs.rates.EndRate, pb.EndRateRequest(name=pair.rate.name))
    begins = await world.now() + timedelta(hours=1)
    wanted = a_rate(
        pair.source,
        pair.target,
        "30:7",
        block_units=60,
        minimum_units=120,
        maximum_units=9_000,
        bonus_every_units=600,
        bonus_units=3,
        fee_micros=100_000,
        fee_per_point_micros=11,
        fee_cap_micros=5_000,
        member_daily_cap_units=12_000,
        effective_time=instant(begins),
        end_time=instant(begins + timedelta(days=30)),
    )
    before = await world.now()

    answer = await world.operator.ask(world.stubs.rates.PublishRate, pb.PublishRateRequest(rate=wanted))

    published = answer.rate
    listed = await cast.gen.ask(
        world.stubs.rates.ListRates, pb.ListRatesRequest(source_currency=wanted.source_currency)
    )
    assert listed.rates[1] == published
    assert before <= published.publish_time.ToDatetime(UTC) <= await world.now()
    assert published.name.startswith("rates/")
    published.ClearField("name")
    published.ClearField("publish_time")
    assert published == wanted


async def test_a_rate_with_nothing_said_holds_from_now_without_limits(cast: Cast, world: World) -> None:
    """Left out: now, until ended; a block of one; no minimum, maximum, bonus, fee or cap."""
    before = await world.now()
    pair = await cast.pair()

    rate = pair.rate
    assert before <= rate.effective_time.ToDatetime(UTC) <= await world.now()
    assert not rate.HasField("end_time")
    assert (rate.block_units, rate.minimum_units, rate.maximum_units) == (1, 0, 0)
    assert (rate.bonus_every_units, rate.bonus_units, rate.member_daily_cap_units) == (0, 0, 0)
    assert (rate.fee_micros, rate.fee_per_point_micros, rate.fee_cap_micros) == (0, 0, 0)


async def test_the_rate_in_force_is_told_for_any_instant(cast: Cast, world: World) -> None:
    """At the very end of one version the next one holds, and outside of all none does."""
    now = await world.now()
    noon, evening = now + timedelta(hours=1), now + timedelta(hours=9)
    pair = await cast.pair(effective_time=instant(noon), end_time=instant(evening))
    successor = await world.rate(pair.source, pair.target, "2:1", effective_time=instant(evening))

    async def at(moment: object) -> pb.GetEffectiveRateResponse:
        request = pb.GetEffectiveRateRequest(
            source_currency=f"currencies/{pair.source}", target_currency=f"currencies/{pair.target}"
        )
        if moment is not None:
            request.at_time.CopyFrom(instant(moment))  # type: ignore[arg-type]
        return await cast.gen.ask(world.stubs.rates.GetEffectiveRate, request)

    assert (await at(noon)).rate == pair.rate
    assert (await at(evening - timedelta(microseconds=1))).rate == pair.rate
    assert (await at(evening)).rate == successor
    assert (await refusal(at(noon - timedelta(microseconds=1)))).reason == "NO_RATE"
    assert (await refusal(at(None))).reason == "NO_RATE"


async def test_an_ended_rate_makes_room_for_its_successor(cast: Cast, world: World) -> None:
    """Ended now, it converts nothing any more; the successor's terms hold."""
    pair = await cast.pair()
    ada = await pair.member(100)
    await pair.convert(ada, 10)

    ended = (await world.operator.ask(world.stubs.rates.EndRate, pb.EndRateRequest(name=pair.rate.name))).rate
    between = await refusal(pair.convert(ada, 10))
    successor = await world.rate(pair.source, pair.target, "2:1")
    converted = await pair.convert(ada, 10)

    assert (ended.name, ended.source_units) == (pair.rate.name, 1)
    assert pair.rate.effective_time.ToDatetime(UTC) <= ended.end_time.ToDatetime(UTC) <= await world.now()
    assert between.reason == "NO_RATE"
    assert (converted.transfer.rate, converted.transfer.received.units) == (successor.name, 5)


async def test_a_rate_that_has_not_begun_can_be_called_off(cast: Cast, world: World) -> None:
    """It ends at its beginning and never holds; its time is free again."""
    tomorrow = await world.now() + timedelta(days=1)
    pair = await cast.pair(effective_time=instant(tomorrow))

    ended = (await world.operator.ask(world.stubs.rates.EndRate, pb.EndRateRequest(name=pair.rate.name))).rate
    replacement = await world.rate(pair.source, pair.target, "3:1", effective_time=instant(tomorrow))

    request = pb.GetEffectiveRateRequest(
        source_currency=ended.source_currency, target_currency=ended.target_currency, at_time=instant(tomorrow)
    )
    in_force = await cast.gen.ask(world.stubs.rates.GetEffectiveRate, request)
    listed = await every_page(
        cast.gen, world.stubs.rates.ListRates, pb.ListRatesRequest, 1, source_currency=ended.source_currency
    )
    assert [rate for page in listed for rate in page.rates] == sorted([ended, replacement], key=lambda rate: rate.name)
    assert ended.end_time == ended.effective_time == instant(tomorrow)
    assert in_force.rate == replacement


async def test_rates_are_listed_by_pair_and_time_page_by_page(cast: Cast, world: World) -> None:
    """Versions that begin within one second stand in their order too."""
    pair = await cast.pair(end_time=instant(await world.now() + timedelta(hours=1)))
    noon = (await world.now() + timedelta(days=1)).replace(microsecond=0)
    half_past = noon + timedelta(milliseconds=500)
    later = await world.rate(pair.source, pair.target, "3:1", effective_time=instant(half_past))
    sooner = await world.rate(
        pair.source, pair.target, "2:1", effective_time=instant(noon), end_time=instant(half_past)
    )

    source, target = f"currencies/{pair.source}", f"currencies/{pair.target}"
    by_source = await every_page(cast.gen, world.stubs.rates.ListRates, pb.ListRatesRequest, 2, source_currency=source)
    by_target = await every_page(cast.gen, world.stubs.rates.ListRates, pb.ListRatesRequest, 9, target_currency=target)
    neither = await every_page(
        cast.gen, world.stubs.rates.ListRates, pb.ListRatesRequest, 9, source_currency=target, target_currency=source
    )

    assert [[rate.name for rate in page.rates] for page in by_source] == [[pair.rate.name, sooner.name], [later.name]]
    assert [rate.name for rate in by_target[0].rates] == [pair.rate.name, sooner.name, later.name]
    assert [list(page.rates) for page in neither] == [[]]


async def test_every_rate_is_listed_when_nothing_is_filtered(own_world: World) -> None:
    """By source, then by target."""
    issuer = await own_world.merchant("ISS", EXCHANGE)
    for code in ("AA", "BB", "CC"):
        await own_world.currency(code, issuer, conversion_in=1, conversion_out=1)
    for source, target in (("CC", "AA"), ("AA", "CC"), ("AA", "BB")):
        await own_world.rate(source, target, "1:1")

    pages = await every_page(issuer, own_world.stubs.rates.ListRates, pb.ListRatesRequest, 2)

    assert [[(r.source_currency[-2:], r.target_currency[-2:]) for r in page.rates] for page in pages] == [
        [("AA", "BB"), ("AA", "CC")],
        [("CC", "AA")],
    ]
