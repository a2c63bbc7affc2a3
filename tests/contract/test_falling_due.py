"""What the exchange does by itself, as partners see it: points that end, holds that lapse, and keys kept for that."""

from datetime import UTC, timedelta

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import (
    Member,
    Movement,
    a_campaign_use,
    a_capture,
    a_cash_out,
    a_conversion,
    a_discount,
    a_hold,
    a_redemption,
    a_release,
    a_reversal,
    an_earn,
)
from tests.servers import Server
from tests.worlds import Merchant, Party, World, instant

NOBODY = Member("members/00000000-0000-7000-8000-000000000000", "")
DEBIT, CREDIT = types.PointsLeg.SIDE_DEBIT, types.PointsLeg.SIDE_CREDIT


async def transfers_of(party: Party, world: World, member: str) -> list[types.Transfer]:
    """What a party is shown of a member, in ledger order."""
    request = pb.ListTransfersRequest(member=member)
    return list((await party.ask(world.stubs.transfers.ListTransfers, request)).transfers)


async def test_points_that_ended_are_told_with_what_their_funder_is_owed(own_world: World) -> None:
    """Before the clock's new time is acknowledged; the issuer acts, and its funder may see it too."""
    cast = await a_cast(own_world)
    await own_world.currency("END", cast.tel, issue=12_000, expiry={"kind": "KIND_EXPLICIT"}, breakage_share_bps=4_000)
    ada = await cast.member()
    ends = await own_world.now() + timedelta(days=1)
    await cast.gro.earn(ada, "600 END", expire_time=instant(ends))
    await cast.caf.earn(ada, "7 END", expire_time=instant(ends + timedelta(days=1)))

    await own_world.set_clock(ends)

    auditor = await own_world.auditor()
    *_, ended = await transfers_of(auditor, own_world, ada.name)
    assert (ended.kind, ended.merchant, ended.member) == (types.Transfer.KIND_EXPIRE, "merchants/TEL", ada.name)
    assert [(leg.side, leg.points.units) for leg in ended.legs] == [(DEBIT, 600), (CREDIT, 600)]
    (owed,) = ended.obligations
    assert (owed.kind, owed.debtor, owed.creditor, owed.amount.micros) == (
        types.Obligation.KIND_BREAKAGE,
        "merchants/TEL",
        "merchants/GRO",
        2_880_000,
    )
    assert ended.event_time.ToDatetime(UTC) >= ends
    assert await cast.gro.balances(ada) == {"END": 7}

    name = pb.GetTransferRequest(name=ended.name)
    funder = (await cast.gro.ask(own_world.stubs.transfers.GetTransfer, name)).transfer
    assert (funder.legs, funder.request_id) == (ended.legs, "")
    stranger = await refusal(cast.caf.ask(own_world.stubs.transfers.GetTransfer, name))
    assert stranger.reason == "RESOURCE_NOT_FOUND"


async def test_a_lapse_is_told_to_the_merchant_that_held(own_world: World) -> None:
    """As a release of its hold, under a key of the exchange's own that answers a look-up."""
    cast = await a_cast(own_world)
    ada = await cast.member("500 TEL")
    hold = (await cast.caf.post(a_hold(ada, "300 TEL", seconds=60))).transfer

    await own_world.set_clock(hold.expire_time.ToDatetime(UTC))

    *_, lapse = await transfers_of(cast.caf, own_world, ada.name)
    assert (lapse.kind, lapse.original) == (types.Transfer.KIND_RELEASE, hold.name)
    assert lapse.request_id == f"exchange/lapse/{hold.name.removeprefix('transfers/')}"
    looked_up = await cast.caf.ask(
        own_world.stubs.transfers.LookupTransfer, pb.LookupTransferRequest(request_id=lapse.request_id)
    )
    assert list(looked_up.transfers) == [lapse]


async def test_moving_the_clock_again_ends_nothing_twice(own_world: World) -> None:
    """What has ended has ended."""
    cast = await a_cast(own_world)
    await own_world.currency("END", cast.tel, issue=1, expiry={"kind": "KIND_DAYS", "days": 1})
    ada = await cast.member()
    await cast.gro.earn(ada, "600 END")
    now = await own_world.now()

    for days in (2, 3, 4):
        await own_world.set_clock(now + timedelta(days=days))

    auditor = await own_world.auditor()
    kinds = [transfer.kind for transfer in await transfers_of(auditor, own_world, ada.name)]
    assert kinds == [types.Transfer.KIND_EARN, types.Transfer.KIND_EXPIRE]


async def test_idle_points_end_together_and_lots_say_when(own_world: World) -> None:
    """Ten days after what was last done with them, all of them; each lot tells it, and balances count them no more."""
    cast = await a_cast(own_world)
    policy = {"kind": "KIND_INACTIVITY", "days": 10}
    await own_world.currency("IDL", cast.tel, issue=1, redeem=1, expiry=policy)
    ada = await cast.member()
    await cast.gro.earn(ada, "600 IDL")
    await cast.caf.earn(ada, "7 IDL")
    now = await own_world.now()
    await own_world.set_clock(now + timedelta(days=9))
    used = (await cast.caf.redeem(ada, "5 IDL")).transfer

    request = member_pb.ListLotsRequest(member=ada.name, currency="currencies/IDL", page_size=1)
    first = await cast.tel.ask(own_world.stubs.members.ListLots, request)
    request.page_token = first.next_page_token
    second = await cast.tel.ask(own_world.stubs.members.ListLots, request)
    ends = used.event_time.ToDatetime(UTC) + timedelta(days=10)
    await own_world.set_clock(ends)

    assert [lot.remaining_units for page in (first, second) for lot in page.lots] == [595, 7]
    assert {lot.expire_time.ToDatetime(UTC) for page in (first, second) for lot in page.lots} == {ends}
    assert await cast.gro.balances(ada) == {"IDL": 0}
    auditor = await own_world.auditor()
    *_, ended = await transfers_of(auditor, own_world, ada.name)
    assert (ended.kind, ended.legs[-1].points.units) == (types.Transfer.KIND_EXPIRE, 602)
    currency = await cast.gro.ask(
        own_world.stubs.directory.GetCurrency, directory_pb.GetCurrencyRequest(name="currencies/IDL")
    )
    assert (currency.currency.expiry.kind, currency.currency.expiry.days) == (types.ExpiryPolicy.KIND_INACTIVITY, 10)


def every_movement(cast: Cast, key: str) -> list[tuple[Merchant, Movement]]:
    """One of each, by a merchant that could make it."""
    other = types.Transfer(name="transfers/00000000-0000-7000-8000-000000000000")
    return [
        (cast.gro, an_earn(NOBODY, "5 TEL", key)),
        (cast.caf, a_redemption(NOBODY, "5 TEL", key)),
        (cast.gro, a_discount(NOBODY, "5 TEL", key)),
        (cast.bnk, a_conversion(NOBODY, "5 BNK", "AIR", key)),
        (cast.caf, a_campaign_use(NOBODY, "5 TEL", key)),
        (cast.caf, a_cash_out(NOBODY, "5 TEL", key)),
        (cast.caf, a_hold(NOBODY, "5 TEL", key)),
        (cast.caf, a_capture(other, key)),
        (cast.caf, a_release(other, key)),
        (cast.caf, a_reversal(other, key)),
    ]


@pytest.mark.provokes("INVALID_FIELD")
async def test_the_exchanges_own_keys_are_nobody_elses(cast: Cast, server: Server) -> None:
    """A partner that used one could keep a hold from lapsing; the word elsewhere in a key is no matter."""
    async with nothing_changes(server):
        for merchant, movement in every_movement(cast, "exchange/lapse/1"):
            refused = await refusal(merchant.post(movement))
            assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("request_id",)), movement
        in_batch = await cast.gro.batch(an_earn(NOBODY, "5 TEL", "exchange/"))
    allowed = await cast.gro.earn(await cast.member(), "5 TEL", "my exchange/1")

    assert in_batch[0].status.code == 3
    assert allowed.transfer.request_id == "my exchange/1"
