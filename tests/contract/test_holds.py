"""Two-phase use: points are reserved, then captured in whole or in part, given back, or the hold lapses."""

import asyncio
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest

from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import a_capture, a_hold, a_redemption, a_release
from tests.servers import Server
from tests.worlds import World

Account, Side = types.PointsLeg.Account, types.PointsLeg.Side


async def test_held_points_are_reserved_at_todays_price(cast: Cast, world: World) -> None:
    """They leave the spendable ones, owe nobody anything yet, and the hold says when it lapses."""
    ada = await cast.member("500 TEL")

    answer = await cast.caf.post(a_hold(ada, "300 TEL", seconds=600, reference="table 4"))

    hold = answer.transfer
    assert (hold.kind, hold.merchant, hold.reference) == (types.Transfer.KIND_HOLD, "merchants/CAF", "table 4")
    assert list(hold.obligations) == []
    assert [(leg.account, leg.side, leg.points.units) for leg in hold.legs] == [
        (Account.ACCOUNT_MEMBER, Side.SIDE_DEBIT, 300),
        (Account.ACCOUNT_HELD, Side.SIDE_CREDIT, 300),
    ]
    lapses = hold.expire_time.ToDatetime(UTC)
    assert lapses == hold.event_time.ToDatetime(UTC) + timedelta(seconds=600)
    assert await balance(cast, world, ada.name) == (200, 300)


async def balance(cast: Cast, world: World, member: str) -> tuple[int, int]:
    """Available and held TEL."""
    answer = await cast.gro.ask(world.stubs.members.ListBalances, member_pb.ListBalancesRequest(member=member))
    return answer.balances[0].available_units, answer.balances[0].held_units


async def test_a_capture_takes_what_is_needed_once_and_gives_back_the_rest(cast: Cast, world: World) -> None:
    """250 of 300: owed at the frozen price, 50 back where they came from, and the hold is over."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer

    captured = (await cast.caf.post(a_capture(hold, units=250))).transfer

    (owed,) = captured.obligations
    assert (captured.kind, captured.original) == (types.Transfer.KIND_CAPTURE, hold.name)
    assert (owed.kind, owed.debtor, owed.creditor) == (
        types.Obligation.KIND_REDEEM,
        "merchants/TEL",
        "merchants/CAF",
    )
    assert (owed.amount.micros, owed.points_units, owed.price_micros) == (2_500_000, 250, 10_000)
    assert await balance(cast, world, ada.name) == (250, 0)


async def test_a_capture_without_a_figure_takes_all(cast: Cast, world: World) -> None:
    """Left out: all."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer

    captured = (await cast.caf.post(a_capture(hold))).transfer

    assert captured.obligations[0].points_units == 300
    assert await balance(cast, world, ada.name) == (200, 0)


async def test_a_price_published_meanwhile_does_not_touch_a_hold(cast: Cast, world: World) -> None:
    """It froze the price it will be owed at."""
    await world.currency("FRZ", cast.tel, issue=1, redeem=5)
    ada = await cast.member()
    await cast.tel.earn(ada, "10 FRZ")
    hold = (await cast.caf.post(a_hold(ada, "10 FRZ"))).transfer
    await world.price("FRZ", issue=1, redeem=50)

    captured = (await cast.caf.post(a_capture(hold))).transfer

    assert captured.obligations[0].price_micros == 5


async def test_a_void_gives_everything_back_and_leaves_nothing_owing(cast: Cast, world: World) -> None:
    """As if it had never been, but on record."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer

    released = (await cast.caf.post(a_release(hold))).transfer

    assert (released.kind, released.original) == (types.Transfer.KIND_RELEASE, hold.name)
    assert list(released.obligations) == []
    assert await balance(cast, world, ada.name) == (500, 0)


async def test_held_points_cannot_be_spent(cast: Cast, server: Server) -> None:
    """Not by another movement and not by another hold."""
    ada = await cast.member("500 TEL")
    await cast.caf.post(a_hold(ada, "300 TEL"))

    async with nothing_changes(server):
        refused = [
            await refusal(cast.caf.post(a_redemption(ada, "201 TEL"))),
            await refusal(cast.caf.post(a_hold(ada, "201 TEL"))),
        ]

    assert {(no.reason, no.metadata["available"]) for no in refused} == {("INSUFFICIENT_POINTS", "200")}


@pytest.mark.provokes("CAPTURE_EXCEEDS_HOLD")
async def test_more_than_was_reserved_is_not_captured(cast: Cast, server: Server) -> None:
    """Though the member has more; the hold stays."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer

    async with nothing_changes(server):
        refused = await refusal(cast.caf.post(a_capture(hold, units=301)))
    await cast.caf.post(a_capture(hold, units=300))

    assert refused.metadata == {"hold": hold.name, "held": "300", "requested": "301"}


@pytest.mark.provokes("HOLD_ENDED")
@pytest.mark.parametrize("first", [a_capture, a_release])
async def test_a_hold_ends_once(cast: Cast, server: Server, first: Callable[..., Any]) -> None:
    """Captured in part or given back, it is over; the same request again is its first answer all the same."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer
    ending = first(hold, "end-" + hold.name[-50:])
    ended = await cast.caf.post(ending)

    async with nothing_changes(server):
        refused = [await refusal(cast.caf.post(a_capture(hold))), await refusal(cast.caf.post(a_release(hold)))]
        again = await cast.caf.post(ending)

    assert {(no.reason, no.metadata["hold"]) for no in refused} == {("HOLD_ENDED", hold.name)}
    assert (again.transfer, again.replayed) == (ended.transfer, True)


async def test_a_hold_is_its_merchants_own(cast: Cast, server: Server) -> None:
    """To another one it does not exist, nor does a transfer that is no hold."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer
    redeemed = (await cast.caf.post(a_redemption(ada, "5 TEL"))).transfer

    async with nothing_changes(server):
        refused = [
            await refusal(cast.tel.post(a_capture(hold))),
            await refusal(cast.tel.post(a_release(hold))),
            await refusal(cast.caf.post(a_capture(redeemed))),
        ]

    assert {(no.reason, no.metadata["field"]) for no in refused} == {("RESOURCE_NOT_FOUND", "hold")}


@pytest.mark.provokes("HOLD_LAPSED")
async def test_a_late_capture_is_refused_with_the_reason(cast: Cast, world: World, server: Server) -> None:
    """Too late is too late, though nobody has tidied up yet; giving back is never too late."""
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL", seconds=1))).transfer
    lapses = hold.expire_time.ToDatetime(UTC)
    while await world.now() < lapses:
        await asyncio.sleep(0.05)

    async with nothing_changes(server):
        refused = await refusal(cast.caf.post(a_capture(hold)))
    await cast.caf.post(a_release(hold))

    assert refused.metadata == {"hold": hold.name, "expired": lapses.isoformat()}
    assert await balance(cast, world, ada.name) == (500, 0)


async def test_a_hold_lapses_by_itself(own_world: World) -> None:
    """The points are back without anybody's doing; capturing it then is refused."""
    cast = await a_cast(own_world)
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL", seconds=3_600))).transfer

    await own_world.set_clock(hold.expire_time.ToDatetime(UTC))

    assert await balance(cast, own_world, ada.name) == (500, 0)
    refused = await refusal(cast.caf.post(a_capture(hold)))
    assert (refused.reason, refused.metadata["expired"]) == (
        "HOLD_LAPSED",
        hold.expire_time.ToDatetime(UTC).isoformat(),
    )
    assert (await refusal(cast.caf.post(a_release(hold)))).reason == "HOLD_ENDED"
    assert await cast.caf.balances(ada) == {"TEL": 500}


async def test_validating_a_hold_reserves_nothing(cast: Cast, server: Server) -> None:
    """Nor does validating a capture end one."""
    ada = await cast.member("500 TEL")

    async with nothing_changes(server):
        await cast.caf.post(a_hold(ada, "300 TEL", validate_only=True))
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer
    async with nothing_changes(server):
        tried = await cast.caf.post(a_capture(hold, validate_only=True))
    await cast.caf.post(a_capture(hold))

    assert tried.transfer.name == ""
