"""Every no to a conversion."""

import pytest

from exchange.v1 import rate_service_pb2 as rate_pb
from tests.contract.cast import Cast
from tests.contract.pairs import a_pair
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import a_reversal
from tests.servers import Server
from tests.worlds import EARNING, EVERY_ROLE, World

INT64_MAX = 2**63 - 1


@pytest.mark.provokes("NOT_THE_ISSUER")
async def test_only_an_issuer_of_the_two_currencies_converts(cast: Cast, server: Server) -> None:
    """TEL is an exchange merchant, and BNK into AIR is none of its business."""
    ada = await cast.member("3 000 BNK")

    async with nothing_changes(server):
        refused = await refusal(cast.tel.convert(ada, "3 000 BNK", "AIR"))

    assert refused.metadata == {"merchant": "merchants/TEL", "source": "currencies/BNK", "target": "currencies/AIR"}


async def test_the_issuer_of_either_side_may_convert(cast: Cast) -> None:
    """The source's and the target's."""
    ada = await cast.member("6 000 BNK")

    await cast.bnk.convert(ada, "3 000 BNK", "AIR")
    await cast.air.convert(ada, "3 000 BNK", "AIR")

    assert await cast.gro.balances(ada) == {"AIR": 200, "BNK": 0}


async def test_an_issuer_without_the_role_does_not_convert(world: World, server: Server) -> None:
    """Being the issuer is not enough: the exchange role is asked for too."""
    issuers = await world.merchant("RL1", EARNING), await world.merchant("RL2", EARNING)
    pair = await a_pair(world, issuers)
    ada = await pair.member(100)

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 10))

    assert (refused.reason, refused.metadata["role"]) == ("ROLE_MISSING", "EXCHANGE")


@pytest.mark.provokes("NO_RATE")
async def test_without_a_rate_nothing_is_converted(cast: Cast, server: Server) -> None:
    """Rates have a direction: there is one from BNK to AIR, and none back."""
    ada = await cast.member("500 AIR")

    async with nothing_changes(server):
        refused = await refusal(cast.air.convert(ada, "500 AIR", "BNK"))

    assert refused.metadata == {"source": "currencies/AIR", "target": "currencies/BNK"}


@pytest.mark.provokes("BELOW_MINIMUM")
async def test_less_than_the_minimum_is_refused(cast: Cast, server: Server) -> None:
    """The minimum itself is enough."""
    pair = await cast.pair(minimum_units=50)
    ada = await pair.member(100)

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 49))
    await pair.convert(ada, 50)

    assert refused.metadata == {"requested": "49", "minimum": "50", "rate": pair.rate.name}


@pytest.mark.provokes("ABOVE_MAXIMUM")
async def test_more_than_the_maximum_is_refused(cast: Cast, server: Server) -> None:
    """The maximum itself is allowed."""
    pair = await cast.pair(maximum_units=50)
    ada = await pair.member(100)

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 51))
    await pair.convert(ada, 50)

    assert refused.metadata == {"requested": "51", "maximum": "50", "rate": pair.rate.name}


@pytest.mark.provokes("CONVERTS_TO_NOTHING")
async def test_less_than_a_block_converts_to_nothing(cast: Cast, server: Server) -> None:
    """2 999 BNK are no block of 3 000: taking them for nothing would be theft."""
    ada = await cast.member("9 000 BNK")

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.convert(ada, "2 999 BNK", "AIR"))

    assert refused.metadata == {"requested": "2999", "block": "3000", "rate": cast.bnk_to_air.name}


@pytest.mark.provokes("DAILY_CAP_EXCEEDED")
async def test_a_daily_cap_counts_what_the_day_has_used(cast: Cast, server: Server) -> None:
    """60 of 100 used: 41 more are refused with the figures, 40 more are taken."""
    pair = await cast.pair(member_daily_cap_units=100)
    ada = await pair.member(1_000)
    await pair.convert(ada, 60)

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 41))
    await pair.convert(ada, 40)

    assert refused.metadata == {"cap": "100", "used": "60", "requested": "41", "rate": pair.rate.name}
    assert await pair.balances(ada) == (900, 100)


async def test_a_reversed_conversion_frees_the_daily_cap(cast: Cast) -> None:
    """100 of 100 used, 60 of them taken back: 60 more may be used, and no more."""
    pair = await cast.pair(member_daily_cap_units=100)
    ada = await pair.member(1_000)
    converted = (await pair.convert(ada, 60)).transfer
    await pair.convert(ada, 40)

    await pair.issuers[0].post(a_reversal(converted))
    refused = await refusal(pair.convert(ada, 61))
    await pair.convert(ada, 60)

    assert refused.metadata["used"] == "40"
    assert await pair.balances(ada) == (900, 100)


async def test_use_under_an_earlier_version_without_a_cap_counts(cast: Cast, world: World) -> None:
    """The cap is the pair's and the day's: 70 were used before it was published."""
    pair = await cast.pair()
    ada = await pair.member(1_000)
    await pair.convert(ada, 70)
    await world.operator.ask(world.stubs.rates.EndRate, rate_pb.EndRateRequest(name=pair.rate.name))
    await world.rate(pair.source, pair.target, "1:1", member_daily_cap_units=100)

    refused = await refusal(pair.convert(ada, 31))
    await pair.convert(ada, 30)

    assert (refused.reason, refused.metadata["used"]) == ("DAILY_CAP_EXCEEDED", "70")


async def test_a_daily_cap_is_each_members_own(cast: Cast) -> None:
    """What ada used is no affair of bob's."""
    pair = await cast.pair(member_daily_cap_units=100)
    ada, bob = await pair.member(100), await pair.member(100)

    await pair.convert(ada, 100)
    await pair.convert(bob, 100)

    assert await pair.balances(bob) == (0, 100)


async def test_as_many_points_as_asked_must_be_there(cast: Cast, server: Server) -> None:
    """99 999 of 100 000 asked are too few, although only 99 000 would be used."""
    ada = await cast.member("99 999 BNK")

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.convert(ada, "100 000 BNK", "AIR"))

    assert refused.metadata == {"currency": "currencies/BNK", "available": "99999", "requested": "100000"}


async def test_what_would_be_received_never_passes_64_bits(cast: Cast, server: Server) -> None:
    """Two points for each of 2^62: one too many for the balance."""
    pair = await cast.pair(ratio="1:2", out_price=0, in_price=0)
    ada = await pair.member(2**62)

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 2**62))

    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "received")


async def test_the_target_balance_never_passes_64_bits(cast: Cast, server: Server) -> None:
    """A conversion into a full account is refused whole: nothing is burnt for points that have no room."""
    pair = await cast.pair(out_price=0, in_price=0)
    ada = await pair.member(100)
    await pair.issuers[1].earn(ada, f"{INT64_MAX - 9} {pair.target}")

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 10))
    await pair.convert(ada, 9)

    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "balance")
    assert await pair.balances(ada) == (91, INT64_MAX)


@pytest.mark.parametrize(("fixed", "per_point"), [(0, 2**62), (INT64_MAX, 1)])
async def test_a_fee_never_passes_64_bits(cast: Cast, server: Server, fixed: int, per_point: int) -> None:
    """By the point, or both parts together."""
    pair = await cast.pair(fee_micros=fixed, fee_per_point_micros=per_point)
    ada = await pair.member(10)

    async with nothing_changes(server):
        refused = await refusal(pair.convert(ada, 10))

    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "obligation")


async def test_what_a_source_issuer_owes_never_passes_64_bits(cast: Cast, server: Server) -> None:
    """Neither the conversion itself nor the operator's spread."""
    conversion = await cast.pair(out_price=2**61, in_price=2**61)
    spread = await cast.pair(out_price=2**61, in_price=0)
    ada, bob = await conversion.member(4), await spread.member(4)

    async with nothing_changes(server):
        refused = [await refusal(conversion.convert(ada, 4)), await refusal(spread.convert(bob, 4))]

    assert [(no.reason, no.metadata["figure"]) for no in refused] == [("AMOUNT_OVERFLOW", "obligation")] * 2


async def test_a_suspended_issuer_of_either_side_stops_conversion(world: World, server: Server) -> None:
    """The source's points may not be burnt, nor the target's minted."""
    issuers = await world.merchant("SU1", *EVERY_ROLE), await world.merchant("SU2", *EVERY_ROLE)
    there, back = await a_pair(world, issuers), await a_pair(world, (issuers[1], issuers[0]))
    ada, bob = await there.member(100), await back.member(100)
    await world.suspend(issuers[1])

    async with nothing_changes(server):
        minting = await refusal(there.convert(ada, 10))
        burning = await refusal(issuers[0].convert(bob, f"10 {back.source}", back.target))

    assert [no.reason for no in (minting, burning)] == ["MERCHANT_SUSPENDED", "MERCHANT_SUSPENDED"]
    assert [no.metadata["merchant"] for no in (minting, burning)] == ["merchants/SU2", "merchants/SU2"]
