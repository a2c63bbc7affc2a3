"""CreateQuote and GetQuote: binding terms for a time, for one merchant, member and use."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from exchange.v1 import rate_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.pairs import a_pair
from tests.contract.quoted import read_quote
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import Member, a_quoted_conversion, points
from tests.servers import Server
from tests.worlds import EVERY_ROLE, World


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
    assert await read_quote(cast.bnk, quote.name) == quote


async def test_a_quote_by_its_target_takes_the_fewest_points(cast: Cast) -> None:
    """3 201 AIR need 33 blocks, which give 3 300."""
    ada = await cast.member()

    quote = await cast.bnk.quote(ada, "BNK", "AIR", target_units=3_201, seconds=30)

    assert (quote.used.units, quote.received.units) == (99_000, 3_300)
    assert quote.expire_time.ToDatetime(UTC) - quote.create_time.ToDatetime(UTC) == timedelta(seconds=30)


async def test_to_another_merchant_a_quote_does_not_exist(cast: Cast, server: Server, world: World) -> None:
    """Though it issues the other currency and has linked the member; nor is it good for another member."""
    ada, bob = await cast.member("9 000 BNK"), await cast.member("9 000 BNK")
    quote = await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000)
    nowhere = pb.Quote(name=quote.name[:-12] + "000000000000")

    async with nothing_changes(server):
        hidden = await refusal(cast.air.post(a_quoted_conversion(ada, quote)))
        missing = await refusal(cast.air.post(a_quoted_conversion(ada, nowhere)))
        unread, unreadable = (
            await refusal(read_quote(cast.air, quote.name)),
            await refusal(read_quote(cast.air, nowhere.name)),
        )
        elses = await refusal(cast.bnk.post(a_quoted_conversion(bob, quote)))

    for no, none in ((hidden, missing), (unread, unreadable)):
        assert repr(no).replace(quote.name, "QUOTE") == repr(none).replace(nowhere.name, "QUOTE")
    assert {no.reason for no in (hidden, unread, elses)} == {"RESOURCE_NOT_FOUND"}
    assert {no.metadata["resource"] for no in (hidden, unread, elses)} == {quote.name}
    for caller in (world.operator, await world.auditor()):
        assert await read_quote(caller, quote.name) == quote


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


@pytest.mark.parametrize("seconds", [0, 3_601])
async def test_a_quote_lasts_from_a_second_to_an_hour(cast: Cast, server: Server, seconds: int) -> None:
    """Longer would be a bet on prices."""
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000, seconds=seconds))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("lifetime",))
    await cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000, seconds=3_600)
