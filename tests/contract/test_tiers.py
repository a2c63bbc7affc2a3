"""Rates for members of a tier: the version for exactly the tier that is given, else the one for everybody."""

from datetime import UTC, timedelta

from exchange.v1 import rate_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfers
from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import connected, nothing_changes
from tests.movements import a_conversion
from tests.servers import Server
from tests.worlds import World, instant


async def test_a_tiers_own_rate_comes_before_everybodys(cast: Cast, world: World) -> None:
    """Alone, in a batch and by a quote; a tier nobody has heard of gets everybody's."""
    pair = await cast.pair(ratio="2:1")
    gold = await world.rate(pair.source, pair.target, "1:1", tier="GOLD")
    ada = await pair.member(100)

    everybody = await pair.convert(ada, 10)
    alone = await pair.convert(ada, 10, tier="GOLD")
    batched = await pair.issuers[0].batch(a_conversion(ada, f"10 {pair.source}", pair.target, tier="GOLD"))
    unheard = await pair.convert(ada, 10, tier="PLASTIC")
    quote = pb.CreateQuoteRequest(
        member=ada.name,
        source_currency=f"currencies/{pair.source}",
        target_currency=f"currencies/{pair.target}",
        target_units=10,
        tier="GOLD",
    )
    quoted = (await pair.issuers[0].ask(world.stubs.rates.CreateQuote, quote)).quote

    assert [answer.transfer.rate for answer in (everybody, alone, unheard)] == [
        pair.rate.name,
        gold.name,
        pair.rate.name,
    ]
    assert [answer.transfer.received.units for answer in (everybody, alone, unheard)] == [5, 10, 5]
    assert batched[0].transfer.rate == gold.name
    assert (quoted.rate, quoted.used.units) == (gold.name, 10)


async def test_a_tier_without_a_rate_for_everybody_converts_alone(cast: Cast) -> None:
    """Who has no tier has no rate."""
    pair = await cast.pair(tier="GOLD")
    ada = await pair.member(100)

    refused = await refusal(pair.convert(ada, 10))
    converted = await pair.convert(ada, 10, tier="GOLD")

    assert refused.reason == "NO_RATE"
    assert converted.transfer.rate == pair.rate.name


async def test_the_rate_of_a_tier_is_told(cast: Cast, world: World) -> None:
    """In force and in the list; when it has ended, everybody's is in force for the tier again."""
    pair = await cast.pair(ratio="2:1")
    now = await world.now()
    gold = await world.rate(
        pair.source,
        pair.target,
        "1:1",
        tier="GOLD",
        effective_time=instant(now + timedelta(hours=1)),
        end_time=instant(now + timedelta(hours=2)),
    )

    async def at(hours: float, tier: str) -> pb.Rate:
        request = pb.GetEffectiveRateRequest(
            source_currency=f"currencies/{pair.source}",
            target_currency=f"currencies/{pair.target}",
            at_time=instant(now + timedelta(hours=hours)),
            tier=tier,
        )
        return (await cast.gen.ask(world.stubs.rates.GetEffectiveRate, request)).rate

    listing = pb.ListRatesRequest(source_currency=f"currencies/{pair.source}")
    listed = (await cast.gen.ask(world.stubs.rates.ListRates, listing)).rates
    assert [await at(hours, "GOLD") for hours in (0.5, 1, 2)] == [pair.rate, gold, pair.rate]
    assert await at(1, "") == pair.rate
    assert list(listed) == [pair.rate, gold]
    assert gold.effective_time.ToDatetime(UTC) > pair.rate.effective_time.ToDatetime(UTC)


async def test_another_tier_is_another_request(cast: Cast, server: Server) -> None:
    """The key belongs to the tier too; the same request again gets the first answer."""
    pair = await cast.pair()
    ada = await pair.member(100)
    first = await pair.convert(ada, 10, key="gold", tier="GOLD")

    async with nothing_changes(server):
        again = await pair.convert(ada, 10, key="gold", tier="GOLD")
        refused = [
            await refusal(pair.convert(ada, 10, key="gold")),
            await refusal(pair.convert(ada, 10, key="gold", tier="SILVER")),
        ]

    assert (again.replayed, again.transfer) == (True, first.transfer)
    assert {no.reason for no in refused} == {"REQUEST_ID_REUSED"}


async def test_the_tier_that_was_given_is_noted_once_and_with_the_transfer(cast: Cast, server: Server) -> None:
    """Of what was made: not of a trial, a refusal or an undone group; and nothing where no tier was given."""
    pair = await cast.pair()
    ada = await pair.member(100)
    issuer = pair.issuers[0]

    made = await pair.convert(ada, 10, key="noted", tier="GOLD")
    await pair.convert(ada, 10, key="noted", tier="GOLD")
    await pair.convert(ada, 10)
    await pair.convert(ada, 10, tier="TRIED", validate_only=True)
    await refusal(pair.convert(ada, 1_000, tier="REFUSED"))
    undone: list[transfers.TransferResult] = list(
        await issuer.batch(
            a_conversion(ada, f"10 {pair.source}", pair.target, tier="UNDONE"),
            a_conversion(ada, f"1000 {pair.source}", pair.target, tier="UNDONE"),
            atomic=True,
        )
    )

    assert [result.HasField("transfer") for result in undone] == [False, False]
    async with connected(server.url) as connection:
        noted = await connection.fetch(
            "SELECT t.transfer_id, n.tier FROM exchange.transfer_tiers n"
            " JOIN exchange.transfers t USING (bucket, transfer_id) WHERE t.member_id = $1",
            ada.name.removeprefix("members/"),
        )
    assert [(f"transfers/{row[0]}", row[1]) for row in noted] == [(made.transfer.name, "GOLD")]
