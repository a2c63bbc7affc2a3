"""Limits on the wire: set by the operator, seen by whom they concern, told of in every refusal."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from grpc import aio

from exchange.v1 import directory_service_pb2 as pb_directory
from exchange.v1 import event_service_pb2 as pb_events
from exchange.v1 import limit_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as pb_transfers
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.refusals import refusal, refusal_in, refusal_of
from tests.movements import a_hold, a_key, an_earn, item
from tests.worlds import Merchant, World


async def limit(world: World, code: str, **figures: int) -> pb.PointsLimits:
    """Set how many points of a currency a day."""
    limits = pb.PointsLimits(currency=f"currencies/{code}", **figures)
    request = pb.SetPointsLimitsRequest(limits=limits, reason="test")
    return (await world.operator.ask(world.stubs.limits.SetPointsLimits, request)).limits


@pytest.mark.provokes("MEMBER_LIMIT_EXCEEDED")
async def test_a_members_day_is_limited_and_the_refusal_says_what_is_left(
    cast: Cast, kiosk: tuple[Merchant, str]
) -> None:
    """Over all merchants together; points on hold count as used."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant, cast.caf, cast.gro])
    await merchant.earn(ada, f"500 {code}")
    await limit(cast.world, code, member_earn_units=100, member_use_units=50)
    await cast.gro.earn(ada, f"70 {code}")
    await cast.caf.post(a_hold(ada, f"30 {code}"))

    earned = await refusal(merchant.earn(ada, f"31 {code}"))
    used = await refusal(cast.caf.redeem(ada, f"21 {code}"))

    currency = f"currencies/{code}"
    figures = {"limit": "100", "left": "30", "requested": "31"}
    assert earned.metadata == {"currency": currency, "figure": "earn", **figures}
    figures = {"limit": "50", "left": "20", "requested": "21"}
    assert used.metadata == {"currency": currency, "figure": "use", **figures}
    await cast.caf.redeem(ada, f"20 {code}")


@pytest.mark.provokes("ISSUANCE_LIMIT_EXCEEDED")
async def test_a_days_issuance_is_limited_and_told_to_the_issuer(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Others learn the limits, and neither from a refusal nor from the limits how much was made."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant, cast.gro])
    set_ = await limit(cast.world, code, issuance_units=100)
    await cast.gro.earn(ada, f"70 {code}")

    others = await refusal(cast.gro.earn(ada, f"31 {code}"))
    own = await refusal(merchant.earn(ada, f"31 {code}"))

    currency = f"currencies/{code}"
    assert others.metadata == {"currency": currency, "requested": "31"}
    assert own.metadata == {"currency": currency, "requested": "31", "limit": "100", "left": "30"}
    expected = pb.PointsLimits(currency=currency, issuance_units=100, issued_units=0)
    assert set_ == expected
    request = pb.GetPointsLimitsRequest(currency=currency)
    expected.issued_units = 70
    for party in (merchant, cast.world.operator, await cast.world.auditor()):
        assert (await party.ask(cast.world.stubs.limits.GetPointsLimits, request)).limits == expected
    expected.ClearField("issued_units")
    assert (await cast.gro.ask(cast.world.stubs.limits.GetPointsLimits, request)).limits == expected


async def test_limits_of_what_there_is_not_are_refused(world: World, cast: Cast) -> None:
    """An unknown currency, a figure below zero, no reason; a currency without limits has none to tell."""
    stubs = world.stubs.limits
    for limits, reason, told in (
        (pb.PointsLimits(currency="currencies/NIX"), "r", "RESOURCE_NOT_FOUND"),
        (pb.PointsLimits(currency="currencies/TEL", member_use_units=-1), "r", "INVALID_FIELD"),
        (pb.PointsLimits(currency="currencies/TEL"), "", "INVALID_FIELD"),
    ):
        request = pb.SetPointsLimitsRequest(limits=limits, reason=reason)
        assert (await refusal(world.operator.ask(stubs.SetPointsLimits, request))).reason == told
    get = pb.GetPointsLimitsRequest(currency="currencies/BNK")
    assert (await cast.gro.ask(stubs.GetPointsLimits, get)).limits == pb.PointsLimits(currency="currencies/BNK")


async def quota(world: World, merchant: Merchant, **figures: int) -> pb.CallQuota:
    """Set how often a merchant may call."""
    request = pb.SetCallQuotaRequest(quota=pb.CallQuota(merchant=merchant.name, **figures), reason="test")
    return (await world.operator.ask(world.stubs.limits.SetCallQuota, request)).quota


@pytest.mark.provokes("CALL_RATE_EXCEEDED")
async def test_a_merchant_that_calls_too_often_is_told_when_to_come_again(
    cast: Cast, kiosk: tuple[Merchant, str]
) -> None:
    """A batch uses up as much as it has items; a stream's items are refused one by one; nothing was begun by them."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant])
    set_ = await quota(cast.world, merchant, calls_per_second=1, burst_calls=2)

    results = await merchant.batch(*(an_earn(ada, f"1 {code}") for _ in range(900)))
    late = an_earn(ada, f"1 {code}")
    refused = await refusal(merchant.post(late))

    assert set_ == pb.CallQuota(merchant=merchant.name, calls_per_second=1, burst_calls=2)
    assert len(results) == 900
    assert refused.metadata == {"merchant": merchant.name, "calls_per_second": "1", "burst_calls": "2"}
    await quota(cast.world, merchant)
    assert not (await merchant.post(late)).replayed
    await quota(cast.world, merchant, calls_per_second=1, burst_calls=500)
    streamed = [pb_transfers.StreamTransfersRequest(item=item(an_earn(ada, f"1 {code}"))) for _ in range(3_000)]
    stream = cast.world.stubs.transfers.StreamTransfers(iter(streamed), metadata=merchant.metadata, timeout=60.0)
    told = [answer.result async for answer in stream]
    assert {refusal_in(one.status).reason for one in told if one.status.code} == {"CALL_RATE_EXCEEDED"}
    await quota(cast.world, merchant)
    done = sum(not one.status.code for one in told)
    assert await merchant.balances(ada) == {code: 900 + 1 + done}


async def reason(call: Awaitable[object]) -> str:
    """Why a call is refused; empty when it is answered."""
    try:
        await call
    except aio.AioRpcError as error:
        return refusal_of(error).reason
    return ""


@pytest.mark.provokes("TOO_MANY_CALLS")
async def test_a_merchants_calls_under_way_are_limited(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """A stream takes a place for as long as it is open; others are not held up."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant])
    await quota(cast.world, merchant, concurrent_calls=1)
    watch = cast.world.stubs.events.WatchEvents(pb_events.WatchEventsRequest(), metadata=merchant.metadata)
    await watch.read()

    refused = await refusal(merchant.earn(ada, f"1 {code}"))
    await cast.gro.ask(
        cast.world.stubs.limits.GetPointsLimits, pb.GetPointsLimitsRequest(currency=f"currencies/{code}")
    )
    watch.cancel()
    while told := await reason(merchant.earn(ada, f"1 {code}")):
        assert told == "TOO_MANY_CALLS"

    assert refused.metadata == {"merchant": merchant.name, "concurrent_calls": "1"}


async def test_a_quota_is_read_by_its_merchant_and_set_whole(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Others' are none of its business; a rate without a burst would let nothing through."""
    merchant, _ = kiosk
    stubs = cast.world.stubs.limits
    set_ = await quota(cast.world, merchant, calls_per_second=5_000, burst_calls=5_000, concurrent_calls=50)
    get = pb.GetCallQuotaRequest(merchant=merchant.name)
    bad = pb.SetCallQuotaRequest(quota=pb.CallQuota(merchant=merchant.name, calls_per_second=1), reason="r")

    assert (await merchant.ask(stubs.GetCallQuota, get)).quota == set_
    assert (await cast.world.operator.ask(stubs.GetCallQuota, get)).quota == set_
    assert (await refusal(cast.caf.ask(stubs.GetCallQuota, get))).reason == "RESOURCE_NOT_FOUND"
    assert (await refusal(cast.world.operator.ask(stubs.SetCallQuota, bad))).fields == ("quota.burst_calls",)


async def band(
    world: World, merchant: Merchant, action: pb.ReturnBand.Action.ValueType, **figures: int
) -> pb.ReturnBand:
    """Set a telecom's band."""
    wanted = pb.ReturnBand(merchant=merchant.name, sector=pb.ReturnBand.SECTOR_TELECOM, action=action, **figures)
    request = pb.SetReturnBandRequest(band=wanted, reason="test")
    return (await world.operator.ask(world.stubs.limits.SetReturnBand, request)).band


@pytest.mark.provokes("RETURN_RATE_EXCEEDED")
async def test_an_award_above_the_band_warns_its_merchant_or_is_refused(
    cast: Cast, kiosk: tuple[Merchant, str]
) -> None:
    """The warning stays with the transfer, also when the request is repeated and the band has changed since."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant])
    rule = pb_directory.EarnRule(
        name=f"earnRules/{code}",
        merchant=merchant.name,
        currency=f"currencies/{code}",
        per_minor_units=1,
        points_units=4,
    )
    made = pb_directory.CreateEarnRuleRequest(earn_rule=rule)
    await cast.world.operator.ask(cast.world.stubs.directory.CreateEarnRule, made)
    spent = types.Spend(rule=rule.name, minor_units=100)
    asked = pb_transfers.EarnPointsRequest(request_id=a_key(), member=ada.name, spend=spent)

    usual = await band(cast.world, merchant, pb.ReturnBand.ACTION_WARN)
    warned = (await merchant.post(asked)).transfer
    await band(cast.world, merchant, pb.ReturnBand.ACTION_REFUSE, max_bps=399)
    asked_anew = pb_transfers.EarnPointsRequest(request_id=a_key(), member=ada.name, spend=spent)
    refused = await refusal(merchant.post(asked_anew))
    repeated = await merchant.post(asked)
    await band(cast.world, merchant, pb.ReturnBand.ACTION_REFUSE, max_bps=400)
    asked_anew.request_id = a_key()
    within = (await merchant.post(asked_anew)).transfer

    assert usual.max_bps == 300
    assert (warned.spend.return_rate_bps, warned.spend.return_band_bps) == (400, 300)
    assert (repeated.replayed, repeated.transfer) == (True, warned)
    assert refused.metadata == {"rule": rule.name, "rate_bps": "400", "max_bps": "399"}
    assert (within.spend.return_rate_bps, within.spend.return_band_bps) == (0, 0)
    get = pb_transfers.GetTransferRequest(name=warned.name)
    assert (await merchant.ask(cast.world.stubs.transfers.GetTransfer, get)).transfer == warned


async def test_a_band_is_read_by_its_merchant_and_complete(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Others' are none of its business; a trade without a usual figure wants one."""
    merchant, _ = kiosk
    stubs = cast.world.stubs.limits
    get = pb.GetReturnBandRequest(merchant=merchant.name)
    none = await refusal(merchant.ask(stubs.GetReturnBand, get))
    set_ = await band(cast.world, merchant, pb.ReturnBand.ACTION_IGNORE, max_bps=77)
    bad = pb.SetReturnBandRequest(
        band=pb.ReturnBand(merchant=merchant.name, sector=pb.ReturnBand.SECTOR_OTHER, action=pb.ReturnBand.ACTION_WARN),
        reason="r",
    )

    assert none.reason == "RESOURCE_NOT_FOUND"
    assert (await merchant.ask(stubs.GetReturnBand, get)).band == set_
    assert (await refusal(cast.caf.ask(stubs.GetReturnBand, get))).reason == "RESOURCE_NOT_FOUND"
    assert (await refusal(cast.world.operator.ask(stubs.SetReturnBand, bad))).fields == ("band.max_bps",)
