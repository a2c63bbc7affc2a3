"""Converting by a quote: what it said, whatever becomes of rates and prices, once, in time; and what goes without."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Any

import pytest

from exchange.v1 import rate_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.quoted import read_quote
from tests.contract.refusals import refusal, refusal_in
from tests.contract.stillness import nothing_changes
from tests.movements import a_conversion, a_key, a_quoted_conversion, points
from tests.servers import Server, a_server
from tests.worlds import World, a_channel

OK = 0


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
    used = await read_quote(pair.issuers[0], quote.name)
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
    states = [(await read_quote(cast.bnk, quote.name)).state for quote in (late, used)]
    assert states == [pb.Quote.STATE_EXPIRED, pb.Quote.STATE_USED]


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
    assert (await read_quote(merchant, large.name)).state == pb.Quote.STATE_OPEN


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
