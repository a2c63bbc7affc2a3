"""CreateQuote, GetQuote and converting by a quote: binding terms for a time, for one merchant, member and use."""

import asyncio
from datetime import UTC, timedelta
from typing import Any

import pytest

from exchange.v1 import rate_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.pairs import a_pair
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import nothing_changes
from tests.movements import Member, a_conversion, a_key, a_quoted_conversion, points
from tests.servers import Server, a_server
from tests.worlds import EVERY_ROLE, Party, World, a_channel

OK = 0


async def get(caller: Party, name: str) -> pb.Quote:
    """The quote as a caller sees it."""
    return (await caller.ask(caller.stubs.rates.GetQuote, pb.GetQuoteRequest(name=name))).quote


async def test_a_quote_says_all_that_a_conversion_will_do(cast: Cast, world: World) -> None:
    """The rulebook's example, for the default ten minutes; the member need not have the points yet."""
    ada = await cast.member()
    before = await world.now()

    request = pb.CreateQuoteRequest(
        member_reference=ada.reference,
        source_currency="currencies/BNK",
        target_currency="currencies/AIR",
        source_units=100_000,
    )
    quote = (await cast.bnk.ask(cast.bnk.stubs.rates.CreateQuote, request)).quote

    assert (quote.merchant, quote.member, quote.rate) == ("merchants/BNK", ada.name, cast.bnk_to_air.name)
    assert (quote.used, quote.received) == (points("99 000 BNK"), points("3 300 AIR"))
    assert (quote.conversion_out_price_micros, quote.conversion_in_price_micros) == (2_000, 55_000)
    assert quote.fee == types.MoneyAmount(currency_code="CNY", micros=100_000)
    assert (quote.state, quote.transfer) == (pb.Quote.STATE_OPEN, "")
    given = quote.create_time.ToDatetime(UTC)
    assert before <= given <= await world.now()
    assert quote.expire_time.ToDatetime(UTC) == given + timedelta(minutes=10)
    assert await get(cast.bnk, quote.name) == quote


async def test_a_quote_by_its_target_takes_the_fewest_points(cast: Cast) -> None:
    """3 201 AIR need 33 blocks, which give 3 300."""
    ada = await cast.member()

    quote = await cast.bnk.quote(ada, "BNK", "AIR", target_units=3_201, seconds=30)

    assert (quote.used.units, quote.received.units) == (99_000, 3_300)
    assert quote.expire_time.ToDatetime(UTC) - quote.create_time.ToDatetime(UTC) == timedelta(seconds=30)


async def test_a_quote_binds_whatever_becomes_of_rate_and_prices(cast: Cast, world: World) -> None:
    """Ended, replaced by a dearer one, prices multiplied: points, prices and fee are those of the quote."""
    pair = await cast.pair(ratio="3:1", out_price=100, in_price=200, fee_micros=7)
    ada = await pair.member(100)
    quote = await pair.issuers[0].quote(ada, pair.source, pair.target, source_units=50)
    await world.operator.ask(world.stubs.rates.EndRate, pb.EndRateRequest(name=pair.rate.name))
    await world.price(pair.source, conversion_out=90_000)
    await world.price(pair.target, conversion_in=5)
    await world.rate(pair.source, pair.target, "10:1", fee_micros=9_999)

    answer = await pair.issuers[0].post(a_quoted_conversion(ada, quote, reference="r"))

    transfer = answer.transfer
    assert (transfer.used, transfer.received, transfer.rate) == (quote.used, quote.received, pair.rate.name)
    assert (quote.used.units, quote.received.units, transfer.reference) == (48, 16, "r")
    kind = types.Obligation.Kind
    assert [(owed.kind, owed.amount.micros, owed.price_micros) for owed in transfer.obligations] == [
        (kind.KIND_CONVERSION, 3_200, 200),
        (kind.KIND_SPREAD, 1_600, 0),
        (kind.KIND_FEE, 7, 0),
    ]
    used = await get(pair.issuers[0], quote.name)
    assert (used.state, used.transfer) == (pb.Quote.STATE_USED, transfer.name)
    assert await pair.balances(ada) == (52, 16)


async def test_asking_again_by_a_quote_gives_the_first_answer(cast: Cast, server: Server) -> None:
    """Not that the quote is used; another quote under the key is another request."""
    ada = await cast.member("9 000 BNK")
    quote, other = [await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000) for _ in range(2)]
    request = a_quoted_conversion(ada, quote)

    first = await cast.bnk.post(request)
    async with nothing_changes(server):
        again = await cast.bnk.post(request)
        reused = await refusal(cast.bnk.post(a_quoted_conversion(ada, other, request.request_id)))

    assert (again.transfer, first.replayed, again.replayed) == (first.transfer, False, True)
    assert reused.reason == "REQUEST_ID_REUSED"


@pytest.mark.provokes("QUOTE_USED")
async def test_a_quote_is_used_once(cast: Cast, server: Server) -> None:
    """Whoever comes second is told which transfer used it."""
    ada = await cast.member("9 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)
    used = (await cast.bnk.post(a_quoted_conversion(ada, quote))).transfer

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.post(a_quoted_conversion(ada, quote)))

    assert refused.metadata == {"quote": quote.name, "transfer": used.name}


async def test_at_two_servers_at_once_a_quote_is_used_once(cast: Cast, server: Server) -> None:
    """Of thirty requests one converts; the member could have paid for all."""
    ada = await cast.member("90 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)

    async with a_server(server.url, operator_secret=server.operator_secret) as second, a_channel(second.address) as far:
        merchants = [cast.bnk, cast.bnk.at(far)] * 15
        answers = await asyncio.gather(
            *(merchant.post(a_quoted_conversion(ada, quote)) for merchant in merchants), return_exceptions=True
        )

    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert await cast.bnk.balances(ada) == {"AIR": 100, "BNK": 87_000}


@pytest.mark.provokes("QUOTE_EXPIRED")
async def test_a_quote_expires_at_its_instant(own_server: Server, own_world: World) -> None:
    """By the coalition's clock; it then reads as expired, and one that was used stays used."""
    cast = await a_cast(own_world)
    ada = await cast.member("9 000 BNK")
    late, used = [await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000, seconds=60) for _ in range(2)]
    await cast.bnk.post(a_quoted_conversion(ada, used))
    await own_world.set_clock(max(late.expire_time.ToDatetime(UTC), used.expire_time.ToDatetime(UTC)))

    async with nothing_changes(own_server):
        refused = await refusal(cast.bnk.post(a_quoted_conversion(ada, late)))

    assert refused.metadata == {"quote": late.name, "expired": late.expire_time.ToDatetime(UTC).isoformat()}
    states = [(await get(cast.bnk, quote.name)).state for quote in (late, used)]
    assert states == [pb.Quote.STATE_EXPIRED, pb.Quote.STATE_USED]


async def test_to_another_merchant_a_quote_does_not_exist(cast: Cast, server: Server, world: World) -> None:
    """Though it issues the other currency and has linked the member; nor is it good for another member."""
    ada, bob = await cast.member("9 000 BNK"), await cast.member("9 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)
    nowhere = pb.Quote(name=quote.name[:-12] + "000000000000")

    async with nothing_changes(server):
        hidden = await refusal(cast.air.post(a_quoted_conversion(ada, quote)))
        missing = await refusal(cast.air.post(a_quoted_conversion(ada, nowhere)))
        unread, unreadable = await refusal(get(cast.air, quote.name)), await refusal(get(cast.air, nowhere.name))
        elses = await refusal(cast.bnk.post(a_quoted_conversion(bob, quote)))

    for no, none in ((hidden, missing), (unread, unreadable)):
        assert repr(no).replace(quote.name, "QUOTE") == repr(none).replace(nowhere.name, "QUOTE")
    assert {no.reason for no in (hidden, unread, elses)} == {"RESOURCE_NOT_FOUND"}
    assert {no.metadata["resource"] for no in (hidden, unread, elses)} == {quote.name}
    for caller in (world.operator, await world.auditor()):
        assert await get(caller, quote.name) == quote


async def test_quotes_are_for_members_the_merchant_has_linked(world: World, cast: Cast, server: Server) -> None:
    """Another one cannot be told from none."""
    issuers = await world.merchant("QL1", *EVERY_ROLE), await world.merchant("QL2", *EVERY_ROLE)
    pair = await a_pair(world, issuers)
    ada = await cast.member()
    nobody = Member(ada.name[:-12] + "000000000000", "nobody")

    async with nothing_changes(server):
        refused = [
            await refusal(issuers[0].quote(member, pair.source, pair.target, source_units=5))
            for member in (ada, nobody)
        ]

    assert [no.reason for no in refused] == ["RESOURCE_NOT_FOUND"] * 2
    assert repr(refused[0]).replace(ada.name, "M") == repr(refused[1]).replace(nobody.name, "M")


async def test_what_would_not_be_converted_is_not_quoted(cast: Cast, server: Server) -> None:
    """Bounds, rates and parties are looked at when the quote is given, and nothing is stored."""
    pair = await cast.pair(minimum_units=50, maximum_units=100, block_units=10, in_price=1, out_price=2**62)
    ada, bob = await pair.member(), await cast.member()
    source, target = pair.issuers

    async with nothing_changes(server):
        refused = [
            await refusal(source.quote(ada, pair.source, pair.target, source_units=49)),
            await refusal(source.quote(ada, pair.source, pair.target, source_units=101)),
            await refusal(source.quote(ada, pair.source, pair.target, target_units=101)),
            await refusal(source.quote(ada, pair.source, pair.target, target_units=2**63 - 1)),
            await refusal(target.quote(ada, pair.target, pair.source, source_units=50)),
            await refusal(cast.tel.quote(bob, pair.source, pair.target, source_units=50)),
            await refusal(cast.gro.quote(bob, pair.source, pair.target, source_units=50)),
            await refusal(source.quote(ada, pair.source, pair.target, source_units=50)),
        ]

    assert [no.reason for no in refused] == [
        "BELOW_MINIMUM",
        "ABOVE_MAXIMUM",
        "ABOVE_MAXIMUM",
        "AMOUNT_OVERFLOW",
        "NO_RATE",
        "NOT_THE_ISSUER",
        "ROLE_MISSING",
        "AMOUNT_OVERFLOW",
    ]
    assert refused[2].metadata["requested"] == "110"


async def test_a_quote_is_no_way_round_limits(cast: Cast, server: Server) -> None:
    """Points must be there, and the member's day has a cap; the quote stays good."""
    pair = await cast.pair(member_daily_cap_units=100)
    ada = await pair.member(90)
    merchant = pair.issuers[0]
    large, small = [await merchant.quote(ada, pair.source, pair.target, source_units=units) for units in (91, 60)]

    async with nothing_changes(server):
        short = await refusal(merchant.post(a_quoted_conversion(ada, large)))
    await merchant.post(a_quoted_conversion(ada, small))
    await merchant.earn(ada, f"100 {pair.source}")
    async with nothing_changes(server):
        capped = await refusal(merchant.post(a_quoted_conversion(ada, large)))

    assert (short.reason, short.metadata["requested"]) == ("INSUFFICIENT_POINTS", "91")
    assert (capped.reason, capped.metadata["used"], capped.metadata["cap"]) == ("DAILY_CAP_EXCEEDED", "60", "100")
    assert (await get(merchant, large.name)).state == pb.Quote.STATE_OPEN


async def test_a_trial_uses_no_quote_up(cast: Cast, server: Server) -> None:
    """Everything is checked, nothing is taken."""
    ada = await cast.member("9 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)

    async with nothing_changes(server):
        tried = await cast.bnk.post(a_quoted_conversion(ada, quote, validate_only=True))

    assert (tried.transfer.name, tried.transfer.received) == ("", quote.received)
    await cast.bnk.post(a_quoted_conversion(ada, quote))


async def test_a_batch_converts_by_quotes_and_without(cast: Cast) -> None:
    """The second use of the same quote in it is refused, the others go on."""
    ada = await cast.member("9 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)

    results = await cast.bnk.batch(
        a_quoted_conversion(ada, quote), a_quoted_conversion(ada, quote), a_conversion(ada, "3 000 BNK", "AIR")
    )

    assert [result.status.code == OK for result in results] == [True, False, True]
    assert refusal_in(results[1].status).reason == "QUOTE_USED"


@pytest.mark.parametrize(
    "fields",
    [{"source": points("5 BNK")}, {"target_currency": "currencies/AIR"}, {"min_target_units": 5}, {"tier": "GOLD"}],
    ids=lambda fields: next(iter(fields)),
)
async def test_a_request_by_quote_says_nothing_the_quote_says(
    cast: Cast, server: Server, fields: dict[str, Any]
) -> None:
    """Which of the two should hold if they differ?"""
    ada = await cast.member("9 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.post(a_quoted_conversion(ada, quote, **fields)))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", tuple(fields))


@pytest.mark.parametrize("seconds", [0, 3_601])
async def test_a_quote_lasts_from_a_second_to_an_hour(cast: Cast, server: Server, seconds: int) -> None:
    """Longer would be a bet on prices."""
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000, seconds=seconds))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("lifetime",))
    await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000, seconds=3_600)


@pytest.mark.provokes("BELOW_MIN_TARGET")
async def test_a_conversion_without_a_quote_may_say_what_it_must_give(cast: Cast, server: Server) -> None:
    """3 300 is what 100 000 BNK give: enough for 3 300, too few for 3 301. The figure belongs to the key."""
    ada = await cast.member("100 000 BNK")
    key = a_key()

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.convert(ada, "100 000 BNK", "AIR", min_target_units=3_301))
    converted = await cast.bnk.convert(ada, "100 000 BNK", "AIR", key, min_target_units=3_300)
    async with nothing_changes(server):
        reused = await refusal(cast.bnk.convert(ada, "100 000 BNK", "AIR", key, min_target_units=3_299))

    assert refused.metadata == {"received": "3300", "min_target": "3301", "rate": cast.bnk_to_air.name}
    assert converted.transfer.received == points("3 300 AIR")
    assert reused.reason == "REQUEST_ID_REUSED"


async def test_a_conversion_says_what_to_receive_unless_a_quote_does(cast: Cast) -> None:
    """Neither is left open."""
    ada = await cast.member("3 000 BNK")
    request = a_conversion(ada, "3 000 BNK", "AIR")
    request.ClearField("target_currency")

    refused = await refusal(cast.bnk.post(request))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("target_currency",))
