"""CloseMember: from one moment on nothing moves, and what was there has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from grpc.aio import AioRpcError

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfers_pb
from exchange.v1 import types_pb2 as types
from tests.contract.adjustments import approved, proposed
from tests.contract.cast import Cast
from tests.contract.refusals import refusal, refusal_in, refusal_of
from tests.contract.stillness import connected, nothing_changes
from tests.movements import (
    Member,
    Movement,
    a_campaign_use,
    a_capture,
    a_conversion,
    a_discount,
    a_hold,
    a_key,
    a_redemption,
    a_release,
    a_reversal,
    an_earn,
)
from tests.servers import Server
from tests.worlds import EVERY_ROLE, Merchant, Party, World, instant

VOID = types.Transfer.KIND_VOID


async def close(by: Party, member: Member, reason: str = "the person asked") -> pb.CloseMemberResponse:
    """Close a membership."""
    return await by.ask(by.stubs.members.CloseMember, pb.CloseMemberRequest(member=member.name, reason=reason))


async def balances(world: World, member: Member) -> list[tuple[int, int]]:
    """Available and held points of every currency."""
    request = pb.ListBalancesRequest(member=member.name)
    answer = await world.operator.ask(world.stubs.members.ListBalances, request)
    return [(one.available_units, one.held_units) for one in answer.balances]


async def test_holds_are_given_back_and_all_points_end(cast: Cast, world: World, server: Server) -> None:
    """Whatever their currency, in one call; each issuer's points are a transfer of their own."""
    ada = await cast.member("500 TEL", "20 AIR", "9 000 BNK")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL"))).transfer

    closed = await close(world.operator, ada)

    assert not closed.replayed
    ended = {
        one.merchant: sum(leg.points.units for leg in one.legs if leg.account == types.PointsLeg.ACCOUNT_MEMBER)
        for one in closed.transfers
    }
    assert {one.kind for one in closed.transfers} == {VOID}
    assert ended == {"merchants/TEL": 500, "merchants/AIR": 20, "merchants/BNK": 9_000}
    assert set(await balances(world, ada)) == {(0, 0)}
    request = pb.GetMemberRequest(member=ada.name)
    seen = (await cast.gro.ask(cast.gro.stubs.members.GetMember, request)).member
    assert seen.close_time == closed.member.close_time
    assert seen.HasField("close_time")
    assert (await refusal(cast.caf.post(a_capture(hold)))).reason == "MEMBER_CLOSED"
    async with connected(server.url) as connection:
        why = await connection.fetchval("SELECT reason FROM exchange.audit_log WHERE subject = $1", ada.name)
    assert why == "the person asked"


async def test_funders_get_their_share_of_what_ends(cast: Cast, world: World) -> None:
    """As of points that end by their policy: 40 % of the issue price of what GRO paid for."""
    await world.currency(
        "VSHARE", cast.tel, issue=12_000, breakage_share_bps=4_000, expiry={"kind": types.ExpiryPolicy.KIND_EXPLICIT}
    )
    ada = await cast.member()
    far = instant(await world.now() + timedelta(days=90))
    await cast.gro.earn(ada, "500 VSHARE", expire_time=far)
    await cast.tel.earn(ada, "500 VSHARE")

    (voided,) = (await close(world.operator, ada)).transfers

    (owed,) = voided.obligations
    assert (owed.kind, owed.debtor, owed.creditor, owed.amount.micros) == (
        types.Obligation.KIND_BREAKAGE,
        "merchants/TEL",
        "merchants/GRO",
        500 * 12_000 * 4 // 10,
    )


async def test_what_a_member_owes_is_let_go(cast: Cast, world: World) -> None:
    """Below zero there is nothing to end and nobody to pay."""
    await world.currency("VOWES", cast.tel, issue=1, redeem=1, negative_balances=True)
    ada = await cast.member()
    award = (await cast.gro.earn(ada, "10 VOWES")).transfer
    await cast.caf.redeem(ada, "10 VOWES")
    await cast.gro.post(a_reversal(award))
    assert await balances(world, ada) == [(-10, 0)]

    (voided,) = (await close(world.operator, ada)).transfers

    assert [(leg.account, leg.points.units) for leg in voided.legs] == [
        (types.PointsLeg.ACCOUNT_CIRCULATION, 10),
        (types.PointsLeg.ACCOUNT_OVERDRAFT, 10),
    ]
    assert (list(voided.obligations), await balances(world, ada)) == ([], [(0, 0)])


async def a_past(cast: Cast) -> tuple[Member, dict[str, tuple[Merchant, Callable[[str], Movement]]]]:
    """A member with something to follow of every kind, and every movement there is, by name."""
    ada = await cast.member("500 TEL", "9 000 BNK")
    earned = (await cast.gro.earn(ada, "5 TEL")).transfer
    redeemed = (await cast.caf.redeem(ada, "5 TEL")).transfer
    converted = (await cast.bnk.convert(ada, "3 000 BNK", "AIR")).transfer
    hold = (await cast.caf.post(a_hold(ada, "5 TEL"))).transfer
    captured = (await cast.caf.post(a_capture((await cast.caf.post(a_hold(ada, "5 TEL"))).transfer))).transfer
    return ada, {
        "earn": (cast.gro, lambda key: an_earn(ada, "5 TEL", key)),
        "redeem": (cast.caf, lambda key: a_redemption(ada, "5 TEL", key)),
        "discount": (cast.gro, lambda key: a_discount(ada, "5 TEL", key)),
        "campaign": (cast.caf, lambda key: a_campaign_use(ada, "5 TEL", key)),
        "convert": (cast.bnk, lambda key: a_conversion(ada, "3 000 BNK", "AIR", key)),
        "hold": (cast.caf, lambda key: a_hold(ada, "5 TEL", key)),
        "capture": (cast.caf, lambda key: a_capture(hold, key)),
        "void": (cast.caf, lambda key: a_release(hold, key)),
        "reverse an earn": (cast.gro, lambda key: a_reversal(earned, key)),
        "reverse a redemption": (cast.caf, lambda key: a_reversal(redeemed, key)),
        "reverse a capture": (cast.caf, lambda key: a_reversal(captured, key)),
        "reverse a conversion": (cast.bnk, lambda key: a_reversal(converted, key)),
    }


@pytest.mark.provokes("MEMBER_CLOSED")
async def test_afterwards_every_movement_is_refused(cast: Cast, world: World, server: Server) -> None:
    """Alone, in a batch, of a currency the member never had; and adjustments, quotes and links as well."""
    ada, movements = await a_past(cast)
    await world.currency("VNEVER", cast.tel, issue=1)
    newcomer = await world.merchant("VNew", *EVERY_ROLE)
    checker = await world.party(directory_pb.CALLER_ROLE_OPERATOR)
    waiting = await proposed(cast.tel, ada, "5 TEL")
    movements["earn of a currency never had"] = (cast.gro, lambda key: an_earn(ada, "5 VNEVER", key))
    await close(world.operator, ada)

    link = pb.LinkMemberRequest(member=ada.name, reference="v-1")
    enroll = pb.EnrollMemberRequest(reference=ada.reference)
    async with nothing_changes(server):
        told: dict[str, str] = {}
        for name, (merchant, movement) in movements.items():
            told[name] = (await refusal(merchant.post(movement(a_key())))).reason
            (result,) = await merchant.batch(movement(a_key()))
            told[f"{name} in a batch"] = refusal_in(result.status).reason
        told["quote"] = (await refusal(cast.bnk.quote(ada, "BNK", "AIR", source_units=3_000))).reason
        told["link"] = (await refusal(newcomer.ask(newcomer.stubs.members.LinkMember, link))).reason
        told["enroll"] = (await refusal(cast.gro.ask(cast.gro.stubs.members.EnrollMember, enroll))).reason
        told["propose"] = (await refusal(proposed(cast.tel, ada, "5 TEL"))).reason
    told["approve"] = (await refusal(approved(checker, waiting))).reason

    assert set(told.values()) == {"MEMBER_CLOSED"}, told


async def test_closed_again_it_is_the_same_end(cast: Cast, world: World, maker: Party, server: Server) -> None:
    """By whomever: the transfers of the first time, and nothing else happens."""
    ada = await cast.member("500 TEL")
    first = await close(world.operator, ada)

    async with nothing_changes(server):
        again = await close(maker, ada, "once more")

    assert (again.replayed, list(again.transfers), again.member) == (True, list(first.transfers), first.member)


async def test_a_membership_without_points_is_closed_too(cast: Cast, world: World) -> None:
    """Nothing ends; nothing moves afterwards all the same."""
    ada = await cast.member()

    closed = await close(world.operator, ada)

    assert list(closed.transfers) == []
    assert (await refusal(cast.gro.earn(ada, "5 TEL"))).reason == "MEMBER_CLOSED"


async def test_nobody_is_closed_that_there_is_not(world: World, server: Server) -> None:
    """A name nobody has."""
    nobody = Member("members/00000000-0000-7000-8000-000000000000", "")

    async with nothing_changes(server):
        refused = await refusal(close(world.operator, nobody))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", "member")


async def test_an_issuer_that_has_not_linked_the_person_is_told_no_name(cast: Cast, world: World) -> None:
    """Its points ended: that is its affair."""
    shy = await world.merchant("VShy", *EVERY_ROLE)
    await world.currency("VSHY", shy, issue=1)
    ada = await cast.member()
    await cast.gro.earn(ada, "5 VSHY")

    (voided,) = (await close(world.operator, ada)).transfers
    seen: Any = await shy.ask(shy.stubs.transfers.GetTransfer, transfers_pb.GetTransferRequest(name=voided.name))

    assert seen.transfer.kind == VOID
    assert ada.name.removeprefix("members/").encode() not in seen.SerializeToString()
    back = await refusal(shy.post(a_reversal(voided)))
    assert ada.name not in repr(back)


async def test_closing_among_movements_leaves_nothing_behind(cast: Cast, world: World) -> None:
    """Awards, holds and conversions go on while it is closed: each was before or is refused, and nothing is left."""
    ada = await cast.member("500 TEL", "90 000 BNK")

    async def go_on(merchant: Merchant, movement: Callable[[], Movement]) -> list[str]:
        told = []
        for _ in range(12):
            try:
                await merchant.post(movement())
                told.append("moved")
            except AioRpcError as error:
                told.append(refusal_of(error).reason)
        return told

    going = [
        go_on(cast.gro, lambda: an_earn(ada, "5 TEL")),
        go_on(cast.caf, lambda: a_hold(ada, "7 TEL")),
        go_on(cast.caf, lambda: a_redemption(ada, "3 TEL")),
        go_on(cast.bnk, lambda: a_conversion(ada, "3 000 BNK", "AIR")),
    ]
    told, *closed = await asyncio.gather(asyncio.gather(*going), close(world.operator, ada), close(world.operator, ada))

    assert sorted(one.replayed for one in closed) == [False, True]
    for answers in told:
        assert set(answers) <= {"moved", "MEMBER_CLOSED"}
        assert answers == sorted(answers, key="moved".__ne__)
    assert set(await balances(world, ada)) == {(0, 0)}
