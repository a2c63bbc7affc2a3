"""Net debit caps on the wire: seen by whom they concern, told of in every refusal."""

from __future__ import annotations

import pytest

from exchange.v1 import limit_service_pb2 as pb
from tests.contract.capped import agreed
from tests.contract.cast import Cast
from tests.contract.pages import every_page
from tests.contract.refusals import refusal, refusal_in
from tests.movements import a_hold, an_earn
from tests.worlds import EARNING, Merchant, Party, World


async def cap(world: World, merchant: Merchant, micros: int) -> pb.Exposure:
    """Set what a merchant may owe in yuan."""
    request = pb.SetNetDebitCapRequest(merchant=merchant.name, currency_code="CNY", cap_micros=micros, reason="test")
    return (await world.operator.ask(world.stubs.limits.SetNetDebitCap, request)).exposure


async def seen(party: Party, merchant: Merchant) -> pb.Exposure:
    """What a caller reads of a merchant's exposure in yuan."""
    request = pb.GetExposureRequest(merchant=merchant.name, currency_code="CNY")
    return (await party.ask(party.stubs.limits.GetExposure, request)).exposure


async def test_exposure_and_headroom_are_live(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """What it owes, what is reserved, and what is left, from the commit of each movement on."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant, cast.caf])
    await merchant.earn(ada, f"1000 {code}")

    unused = await cap(cast.world, merchant, 50_000)
    await cast.caf.redeem(ada, f"300 {code}")
    await cast.caf.post(a_hold(ada, f"150 {code}"))

    expected = pb.Exposure(merchant=merchant.name, currency_code="CNY", cap_micros=50_000, headroom_micros=50_000)
    assert unused == expected
    expected.owed_micros, expected.reserved_micros, expected.headroom_micros = 30_000, 15_000, 5_000
    assert await seen(merchant, merchant) == expected == await seen(await cast.world.auditor(), merchant)


@pytest.mark.provokes("NET_DEBIT_CAP_EXCEEDED")
async def test_a_refusal_tells_the_figures_to_the_capped_merchant_alone(
    cast: Cast, kiosk: tuple[Merchant, str]
) -> None:
    """Whoever else meets the cap learns whose it is, and no more."""
    merchant, code = kiosk
    ada = await cast.world.member("ada", [merchant, cast.caf, cast.gro])
    await merchant.earn(ada, f"1000 {code}")
    await cap(cast.world, merchant, 1_000)
    await cast.caf.redeem(ada, f"4 {code}")

    others = await refusal(cast.caf.redeem(ada, f"7 {code}"))
    own = await refusal(merchant.post(an_earn(ada, "1 TEL")))

    assert others.metadata == {"merchant": merchant.name, "currency_code": "CNY"}
    figures = {"cap": "1000", "headroom": "600", "needed": "12000"}
    assert own.metadata == {"merchant": merchant.name, "currency_code": "CNY", **figures}


async def test_a_batch_tells_which_items_are_past_the_cap(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Each item for itself: what fits is done."""
    merchant, code = kiosk
    # Nobody else's: a cap that a failing test left behind would bind all others.
    awarding = await cast.world.merchant(f"A{code}", EARNING)
    ada = await cast.world.member("ada", [merchant, awarding])
    await awarding.earn(ada, f"1 {code}")
    lowered = await cap(cast.world, awarding, 0)
    await agreed(cast.world, awarding, cap_micros=lowered.owed_micros + 1_000)
    sizes = (6, 5, 4)

    results = await awarding.batch(*(an_earn(ada, f"{units} {code}") for units in sizes))

    told = ["" if result.HasField("transfer") else refusal_in(result.status).reason for result in results]
    assert told == ["", "NET_DEBIT_CAP_EXCEEDED", ""]
    await agreed(cast.world, awarding, no_cap=True)
    await awarding.earn(ada, f"5 {code}")


async def test_a_merchant_sees_its_own_exposure_only(cast: Cast, kiosk: tuple[Merchant, str]) -> None:
    """Another one's is as if there were none; lists hold one's own, the operator's all, by name."""
    merchant, _ = kiosk
    await cap(cast.world, merchant, 7)

    refused = await refusal(seen(cast.caf, merchant))
    uncapped = await refusal(seen(cast.caf, cast.caf))

    assert (refused.reason, uncapped.reason) == ("RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND")
    method = cast.world.stubs.limits.ListExposures
    for party, there in ((merchant, True), (cast.caf, False), (cast.world.operator, True)):
        pages = await every_page(party, method, pb.ListExposuresRequest, 1)
        names = [one.merchant for page in pages for one in page.exposures]
        assert (merchant.name in names) == there
        assert names == sorted(names)


async def test_nobody_is_capped_that_there_is_not(world: World, cast: Cast) -> None:
    """Nor in what is no money; and a cap that is not there is not taken away."""
    stubs = world.stubs.limits
    for request, reason in (
        (pb.SetNetDebitCapRequest(merchant="merchants/NIX", currency_code="CNY", reason="r"), "RESOURCE_NOT_FOUND"),
        (pb.SetNetDebitCapRequest(merchant=cast.air.name, currency_code="XYZ", reason="r"), "INVALID_FIELD"),
        (
            pb.SetNetDebitCapRequest(merchant=cast.air.name, currency_code="CNY", cap_micros=-1, reason="r"),
            "INVALID_FIELD",
        ),
        (pb.SetNetDebitCapRequest(merchant=cast.air.name, currency_code="CNY"), "INVALID_FIELD"),
    ):
        assert (await refusal(world.operator.ask(stubs.SetNetDebitCap, request))).reason == reason
    remove = pb.RemoveNetDebitCapRequest(merchant=cast.air.name, currency_code="USD", reason="r")
    assert (await refusal(world.operator.ask(stubs.RemoveNetDebitCap, remove))).reason == "RESOURCE_NOT_FOUND"
