"""Every no to an award, a redemption or a discount: what it says, and that nothing moved."""

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import keys_used, nothing_changes
from tests.movements import a_key, points
from tests.servers import Server
from tests.worlds import EARNING, EVERY_ROLE, Merchant, World, instant

INT64_MAX = 2**63 - 1


@pytest.mark.provokes("ROLE_MISSING")
async def test_a_merchant_without_the_role_moves_nothing(cast: Cast, server: Server) -> None:
    """GRO awards and discounts but does not redeem; the role it lacks is named."""
    ada = await cast.member("500 TEL")

    async with nothing_changes(server):
        refused = await refusal(cast.gro.redeem(ada, "5 TEL"))

    assert refused.metadata == {"merchant": "merchants/GRO", "role": "REDEMPTION"}


@pytest.mark.parametrize(
    ("merchant", "movement", "role"),
    [("gro", "redeem", "REDEMPTION"), ("caf", "discount", "DISCOUNT"), ("gro", "convert", "EXCHANGE")],
)
async def test_each_movement_asks_for_its_own_role(cast: Cast, merchant: str, movement: str, role: str) -> None:
    """Holding another role does not help."""
    ada = await cast.member("500 TEL")
    caller: Merchant = getattr(cast, merchant)
    target = ["AIR"] if movement == "convert" else []

    refused = await refusal(getattr(caller, movement)(ada, "5 TEL", *target))

    assert (refused.reason, refused.metadata["role"]) == ("ROLE_MISSING", role)


async def test_a_general_merchant_awards_nothing(cast: Cast, world: World) -> None:
    """It links members, and that is all."""
    ada = await world.member("ada", [cast.gen])

    refused = await refusal(cast.gen.earn(ada, "5 TEL"))

    assert (refused.reason, refused.metadata["role"]) == ("ROLE_MISSING", "EARNING")


@pytest.mark.provokes("INSUFFICIENT_POINTS")
async def test_one_point_too_many_is_refused_with_both_figures(cast: Cast, server: Server) -> None:
    """The rulebook's example: 57 655 are there, 57 656 are asked for."""
    ada = await cast.member("57 655 TEL")

    async with nothing_changes(server):
        refused = await refusal(cast.caf.redeem(ada, "57 656 TEL"))

    assert refused.metadata == {"currency": "currencies/TEL", "available": "57655", "requested": "57656"}
    assert await cast.caf.balances(ada) == {"TEL": 57_655}


async def test_a_member_without_any_points_has_none_to_spend(cast: Cast) -> None:
    """A currency the member never had is no other case than one that is spent."""
    ada = await cast.member()

    refused = await refusal(cast.gro.discount(ada, "1 AIR"))

    assert (refused.reason, refused.metadata["available"]) == ("INSUFFICIENT_POINTS", "0")


@pytest.mark.provokes("RESOURCE_NOT_FOUND")
async def test_an_unknown_currency_is_not_found(cast: Cast, server: Server) -> None:
    """The field that named it is told."""
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.gro.earn(ada, "5 NIX"))

    assert refused.metadata == {"resource": "currencies/NIX", "field": "points.currency"}


@pytest.mark.parametrize(
    "field",
    ["member", "member_reference"],
)
async def test_an_unknown_member_is_not_found_by_the_field_that_named_it(cast: Cast, field: str) -> None:
    """By name and by reference."""
    request = transfer_pb.EarnPointsRequest(request_id=a_key(), points=points("5 TEL"))
    setattr(request, field, "members/00000000-0000-7000-8000-000000000000" if field == "member" else "nobody")

    refused = await refusal(cast.gro.ask(cast.gro.stubs.transfers.EarnPoints, request))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", field)


@pytest.mark.provokes("NO_PRICE")
async def test_a_currency_without_a_price_cannot_move(world: World, cast: Cast, server: Server) -> None:
    """A price that begins tomorrow is none today."""
    await world.currency("NEW", cast.tel)
    await world.price("NEW", effective="2150-01-01T00:00:00+00:00", issue=1)
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.gro.earn(ada, "5 NEW"))

    assert refused.metadata["currency"] == "currencies/NEW"
    assert refused.metadata["price"] == "issue"


@pytest.mark.provokes("EXPIRY_NOT_ALLOWED")
async def test_an_expiry_is_refused_where_the_policy_takes_none(cast: Cast, server: Server) -> None:
    """TEL never expires, whatever an earning merchant would like."""
    ada = await cast.member()

    async with nothing_changes(server):
        refused = await refusal(cast.gro.earn(ada, "5 TEL", expire_time=instant("2150-01-01T00:00:00+00:00")))

    assert refused.metadata["currency"] == "currencies/TEL"


async def test_an_expiry_that_has_passed_is_refused(world: World, cast: Cast) -> None:
    """Even where each earn may say when its points end."""
    await world.currency("OLD", cast.tel, issue=1, expiry={"kind": "KIND_EXPLICIT"})
    ada = await cast.member()

    refused = await refusal(cast.gro.earn(ada, "5 OLD", expire_time=instant("2020-01-01T00:00:00+00:00")))

    assert refused.reason == "EXPIRY_NOT_ALLOWED"
    assert refused.metadata["expire_time"].startswith("2020-01-01T00:00:00")


@pytest.mark.provokes("AMOUNT_OVERFLOW")
async def test_a_balance_never_passes_64_bits(world: World, cast: Cast, server: Server) -> None:
    """2^63-1 points fit; one more is refused, not wrapped."""
    await world.currency("BIG", cast.tel, issue=0)
    ada = await cast.member()
    await cast.tel.earn(ada, f"{INT64_MAX} BIG")

    async with nothing_changes(server):
        refused = await refusal(cast.gro.earn(ada, "1 BIG"))

    assert refused.metadata["figure"] == "balance"
    assert await cast.gro.balances(ada) == {"BIG": INT64_MAX}


async def test_an_obligation_never_passes_64_bits(cast: Cast, server: Server) -> None:
    """At 12 000 micro-yuan a point, 768 614 336 404 564 points are owed for, and one more are not."""
    most = INT64_MAX // 12_000
    ada, bob = await cast.member(), await cast.member()

    earned = await cast.gro.earn(ada, f"{most} TEL")
    async with nothing_changes(server):
        refused = await refusal(cast.gro.earn(bob, f"{most + 1} TEL"))

    assert earned.transfer.obligations[0].amount.micros == most * 12_000
    assert (refused.reason, refused.metadata["figure"]) == ("AMOUNT_OVERFLOW", "obligation")


@pytest.mark.provokes("MERCHANT_SUSPENDED")
async def test_a_suspended_merchant_moves_nothing(world: World, server: Server) -> None:
    """Not as the one who asks, and not as the issuer of what moves."""
    hot = await world.merchant("HOT", EARNING)
    iss = await world.merchant("ISS", *EVERY_ROLE)
    await world.currency("ISS", iss, issue=1)
    ada = await world.member("ada", [hot, iss])

    await world.suspend(iss)
    async with nothing_changes(server):
        issuer_stopped = await refusal(hot.earn(ada, "5 ISS"))
    await world.suspend(hot)
    async with nothing_changes(server):
        asker_stopped = await refusal(hot.earn(ada, "5 ISS"))

    assert issuer_stopped.metadata == {"merchant": "merchants/ISS"}
    assert asker_stopped.metadata == {"merchant": "merchants/HOT"}


@pytest.mark.provokes("CURRENCY_SUSPENDED")
async def test_a_suspended_currency_does_not_move(world: World, cast: Cast, server: Server) -> None:
    """Neither out of nor into a member's hands, until it is activated again."""
    name = await world.currency("STP", cast.tel, issue=1, redeem=1)
    ada = await cast.member()
    await cast.gro.earn(ada, "5 STP")

    stop = directory_pb.SuspendCurrencyRequest(name=name)
    await world.operator.ask(world.stubs.directory.SuspendCurrency, stop)
    async with nothing_changes(server):
        earning = await refusal(cast.gro.earn(ada, "5 STP"))
        spending = await refusal(cast.gro.discount(ada, "5 STP"))
    go = directory_pb.ActivateCurrencyRequest(name=name)
    await world.operator.ask(world.stubs.directory.ActivateCurrency, go)
    await cast.gro.discount(ada, "5 STP")

    assert earning.metadata == spending.metadata == {"currency": "currencies/STP"}


@pytest.mark.provokes("REQUEST_ID_REUSED")
async def test_a_key_belongs_to_the_request_that_used_it_first(cast: Cast, server: Server) -> None:
    """Another amount under the same key changes nothing, and the first answer stays the key's answer."""
    ada = await cast.member()
    key = a_key()
    first = await cast.gro.earn(ada, "500 TEL", key)

    async with nothing_changes(server):
        refused = await refusal(cast.gro.earn(ada, "501 TEL", key))

    assert refused.metadata == {"request_id": key}
    assert (await cast.gro.earn(ada, "500 TEL", key)).transfer == first.transfer


async def test_a_definite_refusal_takes_its_key_and_a_malformed_request_does_not(cast: Cast, server: Server) -> None:
    """A told no is an answer for ever; what no request may look like was never a request."""
    ada = await cast.member()
    told, malformed = a_key(), a_key()

    await refusal(cast.gro.discount(ada, "5 TEL", told))
    await refusal(cast.gro.discount(ada, "0 TEL", malformed))

    assert await keys_used(server, told) == 1
    assert await keys_used(server, malformed) == 0
