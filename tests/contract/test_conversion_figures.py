"""What a conversion gives, uses and costs, to the point and the micro-unit."""

import pytest

from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.worlds import World, instant

Obligation = types.Obligation


def figures(answer: pb.ConvertPointsResponse) -> tuple[int, int]:
    """Used and received."""
    return answer.transfer.used.units, answer.transfer.received.units


def owed(answer: pb.ConvertPointsResponse) -> dict[int, int]:
    """Micro-units by kind of obligation; kinds that leave nothing owing are not there."""
    return {one.kind: one.amount.micros for one in answer.transfer.obligations}


@pytest.mark.parametrize(
    ("asked", "used", "received"),
    [
        (100_000, 99_000, 3_300),
        (99_000, 99_000, 3_300),
        (98_999, 96_000, 3_200),
        (3_000, 3_000, 100),
        (5_999, 3_000, 100),
    ],
)
async def test_only_whole_blocks_are_used(cast: Cast, asked: int, used: int, received: int) -> None:
    """What was asked beyond them stays with the member."""
    ada = await cast.member(f"{asked} BNK")

    converted = await cast.bnk.convert(ada, f"{asked} BNK", "AIR")

    assert figures(converted) == (used, received)
    assert await cast.gro.balances(ada) == {"AIR": received, "BNK": asked - used}


@pytest.mark.parametrize(
    ("ratio", "asked", "used", "received"),
    [
        ("3:2", 10, 9, 6),
        ("3:2", 11, 11, 7),
        ("3:2", 2, 2, 1),
        ("7:3", 100, 98, 42),
        ("1:1", 17, 17, 17),
        ("1000000007:1000000006", 2_000_000_014, 2_000_000_014, 2_000_000_012),
    ],
)
async def test_only_what_the_ratio_can_express_is_used(
    cast: Cast, ratio: str, asked: int, used: int, received: int
) -> None:
    """The target is rounded down, and then no more is used than that needs, rounded up."""
    pair = await cast.pair(ratio=ratio, out_price=1, in_price=1)
    ada = await pair.member(asked)

    converted = await pair.convert(ada, asked)

    assert figures(converted) == (used, received)
    assert await pair.balances(ada) == (asked - used, received)


@pytest.mark.parametrize(("asked", "received"), [(599, 599), (600, 610), (1_199, 1_209), (1_200, 1_220)])
async def test_a_volume_bonus_counts_each_full_step(cast: Cast, asked: int, received: int) -> None:
    """Ten more for each full 600 used; the target issuer is paid for them too."""
    pair = await cast.pair(out_price=1_200, in_price=1_000, bonus_every_units=600, bonus_units=10)
    ada = await pair.member(asked)

    converted = await pair.convert(ada, asked)

    assert figures(converted) == (asked, received)
    assert owed(converted) == {
        Obligation.KIND_CONVERSION: received * 1_000,
        Obligation.KIND_SPREAD: asked * 1_200 - received * 1_000,
    }


@pytest.mark.parametrize(
    ("terms", "fee"),
    [
        ({"fee_micros": 100_000}, 100_000),
        ({"fee_per_point_micros": 11}, 11 * 90),
        ({"fee_micros": 100_000, "fee_per_point_micros": 11}, 100_000 + 11 * 90),
        ({"fee_per_point_micros": 11, "fee_cap_micros": 500}, 500),
        ({"fee_per_point_micros": 11, "fee_cap_micros": 990}, 990),
        ({"fee_micros": 100_000, "fee_per_point_micros": 11, "fee_cap_micros": 500}, 100_500),
    ],
)
async def test_fees_are_by_conversion_and_by_point_used_with_a_cap(cast: Cast, terms: dict[str, int], fee: int) -> None:
    """95 are asked, 90 are used and pay; the cap is on the per-point part only."""
    pair = await cast.pair(block_units=10, **terms)
    ada = await pair.member(95)

    converted = await pair.convert(ada, 95)

    assert owed(converted) == {Obligation.KIND_CONVERSION: 90_000, Obligation.KIND_FEE: fee}


async def test_equal_prices_leave_no_spread(cast: Cast) -> None:
    """Nothing is no debt."""
    pair = await cast.pair(out_price=1_000, in_price=1_000)
    ada = await pair.member(10)

    converted = await pair.convert(ada, 10)

    assert owed(converted) == {Obligation.KIND_CONVERSION: 10_000}


async def test_points_without_a_price_leave_nothing_owing(cast: Cast) -> None:
    """They move all the same."""
    pair = await cast.pair(out_price=0, in_price=0)
    ada = await pair.member(10)

    converted = await pair.convert(ada, 10)

    assert (figures(converted), owed(converted)) == ((10, 10), {})


async def test_minted_points_are_a_lot_of_the_source_issuer(cast: Cast) -> None:
    """It paid for them, at the conversion-in price."""
    ada = await cast.member("3 000 BNK")

    converted = await cast.bnk.convert(ada, "3 000 BNK", "AIR")

    request = member_pb.ListLotsRequest(member=ada.name, currency="currencies/AIR")
    (lot,) = (await cast.air.ask(cast.air.stubs.members.ListLots, request)).lots
    assert (lot.funder, lot.issue_price_micros, lot.points.units) == ("merchants/BNK", 55_000, 100)
    assert (lot.transfer, lot.name) == (converted.transfer.name, converted.transfer.legs[-1].lot)


async def test_the_lot_that_ends_first_is_converted_first(cast: Cast, world: World) -> None:
    """As with every other use."""
    await world.currency("SOON", cast.bnk, issue=0, conversion_out=1, expiry={"kind": "KIND_EXPLICIT"})
    await world.currency("TGT", cast.air, conversion_in=1)
    await world.rate("SOON", "TGT", "1:1")
    ada = await cast.member()
    never = await cast.bnk.earn(ada, "10 SOON")
    ends = await cast.bnk.earn(ada, "10 SOON", expire_time=instant("2150-01-01T00:00:00+00:00"))

    converted = await cast.bnk.convert(ada, "15 SOON", "TGT")

    spent = [(leg.lot, leg.points.units) for leg in converted.transfer.legs[:2]]
    assert spent == [(ends.transfer.legs[1].lot, 10), (never.transfer.legs[1].lot, 5)]
