"""The mirror of an earlier movement: at its original price, in its very lots, whole or in parts that add up."""

from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract.cast import Cast
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.movements import (
    a_campaign_use,
    a_capture,
    a_conversion,
    a_discount,
    a_hold,
    a_redemption,
    a_release,
    a_reversal,
    an_earn,
)
from tests.servers import Server
from tests.worlds import Merchant, World


def owed(transfer: types.Transfer) -> list[tuple[int, str, str, int]]:
    """Kind, debtor, creditor and micro-yuan of each obligation."""
    return [
        (one.kind, one.debtor.removeprefix("merchants/"), one.creditor.removeprefix("merchants/"), one.amount.micros)
        for one in transfer.obligations
    ]


async def lots_of(cast: Cast, member: str, code: str, issuer: Merchant) -> list[tuple[str, int]]:
    """Lots with points left, in spending order."""
    request = member_pb.ListLotsRequest(member=member, currency=f"currencies/{code}")
    lots = (await issuer.ask(cast.world.stubs.members.ListLots, request)).lots
    return [(lot.name, lot.remaining_units) for lot in lots]


async def test_a_reversed_award_is_taken_back_and_the_issuer_owes_it_back(cast: Cast, world: World) -> None:
    """At the price of then, whatever the price is now."""
    await world.currency("RVE", cast.tel, issue=12_000)
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "100 RVE")).transfer
    await world.price("RVE", issue=99_000)

    answer = await cast.gro.post(a_reversal(earned, reference="returned goods"))

    reversal = answer.transfer
    assert (reversal.kind, reversal.original, reversal.reference) == (
        types.Transfer.KIND_REVERSAL,
        earned.name,
        "returned goods",
    )
    assert owed(reversal) == [(types.Obligation.KIND_REVERSAL, "TEL", "GRO", 1_200_000)]
    assert await cast.gro.balances(ada) == {"RVE": 0}


@pytest.mark.parametrize(
    ("movement", "merchant"), [(a_redemption, "caf"), (a_discount, "gro"), (a_campaign_use, "caf"), (a_hold, "caf")]
)
async def test_reversed_uses_return_to_the_very_lots_they_came_from(cast: Cast, movement: Any, merchant: str) -> None:
    """Redemption, discount, campaign use and capture: two lots spent, two lots whole again, the debt mirrored."""
    ada = await cast.member("300 TEL", "500 TEL")
    acceptor: Merchant = getattr(cast, merchant)
    before = await lots_of(cast, ada.name, "TEL", cast.tel)
    used = (await acceptor.post(movement(ada, "400 TEL"))).transfer
    if movement is a_hold:
        used = (await acceptor.post(a_capture(used))).transfer

    reversal = (await acceptor.post(a_reversal(used))).transfer

    acceptor_id = acceptor.name.removeprefix("merchants/")
    assert owed(reversal) == [(types.Obligation.KIND_REVERSAL, acceptor_id, "TEL", 4_000_000)]
    assert await lots_of(cast, ada.name, "TEL", cast.tel) == before


async def test_a_reversed_conversion_undoes_both_sides(cast: Cast) -> None:
    """Minted points burnt, burnt points back, and every obligation mirrored: spread and fee too."""
    ada = await cast.member("100 000 BNK")
    before = await lots_of(cast, ada.name, "BNK", cast.bnk)
    converted = (await cast.bnk.convert(ada, "100 000 BNK", "AIR")).transfer

    reversal = (await cast.bnk.post(a_reversal(converted))).transfer

    assert owed(reversal) == [
        (types.Obligation.KIND_REVERSAL, "AIR", "BNK", 181_500_000),
        (types.Obligation.KIND_REVERSAL, "OPR", "BNK", 16_500_000),
        (types.Obligation.KIND_REVERSAL, "OPR", "BNK", 100_000),
    ]
    assert await lots_of(cast, ada.name, "BNK", cast.bnk) == before
    assert await cast.gro.balances(ada) == {"AIR": 0, "BNK": 100_000}


async def test_many_partial_returns_are_exactly_one_full_return(cast: Cast) -> None:
    """10 001 points given back in seven shares: points and micro-units add up to the whole."""
    ada = await cast.member("10 001 TEL")
    used = (await cast.caf.post(a_redemption(ada, "10 001 TEL"))).transfer

    parts = [
        (await cast.caf.post(a_reversal(used, retained=pb.Retained(kept=7 - n, total=7)))).transfer for n in range(1, 8)
    ]

    assert sum(micros for part in parts for *_, micros in owed(part)) == 100_010_000
    assert [part.legs[0].points.units for part in parts] == [1429, 1429, 1429, 1428, 1429, 1429, 1428]
    assert await cast.caf.balances(ada) == {"TEL": 10_001}


async def test_a_part_in_points_is_what_it_says(cast: Cast) -> None:
    """And what is left is left to reverse."""
    ada = await cast.member("500 TEL")
    used = (await cast.caf.post(a_redemption(ada, "400 TEL"))).transfer

    await cast.caf.post(a_reversal(used, units=150))
    rest = (await cast.caf.post(a_reversal(used))).transfer

    assert owed(rest) == [(types.Obligation.KIND_REVERSAL, "CAF", "TEL", 2_500_000)]
    assert await cast.caf.balances(ada) == {"TEL": 500}


@pytest.mark.provokes("REVERSAL_EXCEEDS")
@pytest.mark.parametrize("part", [{"units": 251}, {"retained": pb.Retained(kept=251, total=400)}])
async def test_no_more_than_is_left_is_reversed(cast: Cast, server: Server, part: dict[str, Any]) -> None:
    """150 of 400 are reversed already: 251 more are too many, and 251 cannot be kept."""
    ada = await cast.member("500 TEL")
    used = (await cast.caf.post(a_redemption(ada, "400 TEL"))).transfer
    await cast.caf.post(a_reversal(used, units=150))

    async with nothing_changes(server):
        refused = await refusal(cast.caf.post(a_reversal(used, **part)))

    assert refused.metadata == {"transfer": used.name, "left": "250", "requested": "251"}


async def test_a_return_too_small_to_tell_is_answered_and_kept(cast: Cast) -> None:
    """Three points; after the first tenth gave one back, the second gives none: a yes, found again under its key."""
    ada = await cast.member("3 TEL")
    used = (await cast.caf.post(a_redemption(ada, "3 TEL"))).transfer
    await cast.caf.post(a_reversal(used, retained=pb.Retained(kept=9, total=10)))
    request = a_reversal(used, retained=pb.Retained(kept=8, total=10))

    small = await cast.caf.post(request)
    again = await cast.caf.post(request)
    rest = (await cast.caf.post(a_reversal(used))).transfer

    assert (list(small.transfer.legs), list(small.transfer.obligations)) == ([], [])
    assert (small.transfer.kind, small.transfer.original) == (types.Transfer.KIND_REVERSAL, used.name)
    assert (again.transfer, again.replayed) == (small.transfer, True)
    assert owed(rest) == [(types.Obligation.KIND_REVERSAL, "CAF", "TEL", 20_000)]
    assert await cast.caf.balances(ada) == {"TEL": 3}


@pytest.mark.provokes("ALREADY_REVERSED")
async def test_what_is_reversed_is_not_reversed_again(cast: Cast, server: Server) -> None:
    """The same request again is its first answer; another one is refused."""
    ada = await cast.member("500 TEL")
    used = (await cast.caf.post(a_redemption(ada, "400 TEL"))).transfer
    request = a_reversal(used)
    first = await cast.caf.post(request)

    async with nothing_changes(server):
        again = await cast.caf.post(request)
        refused = await refusal(cast.caf.post(a_reversal(used)))

    assert (again.transfer, again.replayed) == (first.transfer, True)
    assert refused.metadata == {"transfer": used.name}


@pytest.mark.provokes("NOT_REVERSIBLE")
async def test_holds_releases_and_reversals_are_not_reversed(cast: Cast, server: Server) -> None:
    """Nor is a part of a conversion."""
    ada = await cast.member("500 TEL", "3 000 BNK")
    hold = (await cast.caf.post(a_hold(ada, "100 TEL"))).transfer
    released = (await cast.caf.post(a_release(hold))).transfer
    used = (await cast.caf.post(a_redemption(ada, "100 TEL"))).transfer
    reversal = (await cast.caf.post(a_reversal(used))).transfer
    converted = (await cast.bnk.post(a_conversion(ada, "3 000 BNK", "AIR"))).transfer

    async with nothing_changes(server):
        refused = [
            await refusal(cast.caf.post(a_reversal(hold))),
            await refusal(cast.caf.post(a_reversal(released))),
            await refusal(cast.caf.post(a_reversal(reversal))),
            await refusal(cast.bnk.post(a_reversal(converted, units=1_500))),
        ]

    assert [no.reason for no in refused] == ["NOT_REVERSIBLE"] * 4
    assert [no.metadata["transfer"] for no in refused] == [t.name for t in (hold, released, reversal, converted)]


async def test_an_award_gives_back_what_is_still_there(cast: Cast) -> None:
    """70 of 100 are spent: 30 come back and are owed back, and no more."""
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "100 TEL")).transfer
    await cast.caf.redeem(ada, "70 TEL")

    reversal = (await cast.gro.post(a_reversal(earned))).transfer

    assert owed(reversal) == [(types.Obligation.KIND_REVERSAL, "TEL", "GRO", 360_000)]
    assert await cast.gro.balances(ada) == {"TEL": 0}


async def test_an_award_that_is_all_spent_is_not_taken_back(cast: Cast, server: Server) -> None:
    """There is nothing to take, and the member owes nothing in a currency that allows no debts."""
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "100 TEL")).transfer
    await cast.caf.redeem(ada, "100 TEL")

    async with nothing_changes(server):
        refused = await refusal(cast.gro.post(a_reversal(earned)))

    assert (refused.reason, refused.metadata["available"]) == ("INSUFFICIENT_POINTS", "0")


async def test_where_debts_are_allowed_a_spent_award_leaves_one(cast: Cast, world: World) -> None:
    """The balance goes below zero, nothing can be spent, and the next award pays it first."""
    await world.currency("NEG", cast.tel, issue=1, redeem=1, negative_balances=True)
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "100 NEG")).transfer
    await cast.caf.redeem(ada, "70 NEG")

    await cast.gro.post(a_reversal(earned))
    below = await cast.gro.balances(ada)
    await cast.gro.earn(ada, "100 NEG")
    refused = await refusal(cast.caf.redeem(ada, "31 NEG"))
    await cast.caf.redeem(ada, "30 NEG")

    assert below == {"NEG": -70}
    assert refused.metadata["available"] == "30"
    assert await cast.gro.balances(ada) == {"NEG": 0}


async def test_a_conversion_of_which_a_point_is_spent_stays(cast: Cast, server: Server) -> None:
    """Whole or not at all."""
    ada = await cast.member("3 000 BNK")
    converted = (await cast.bnk.convert(ada, "3 000 BNK", "AIR")).transfer
    await cast.caf.redeem(ada, "1 AIR")

    async with nothing_changes(server):
        refused = await refusal(cast.bnk.post(a_reversal(converted)))

    assert refused.metadata == {"currency": "currencies/AIR", "available": "99", "requested": "100"}


async def test_only_the_merchant_that_made_it_reverses_it(cast: Cast, server: Server) -> None:
    """To others it does not exist, though they may read it."""
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "100 TEL")).transfer
    nowhere = types.Transfer(name="transfers/00000000-0000-7000-8000-000000000000")

    async with nothing_changes(server):
        refused = [
            await refusal(cast.tel.post(a_reversal(earned))),
            await refusal(cast.gro.post(a_reversal(nowhere))),
        ]

    assert [(no.reason, no.metadata["field"]) for no in refused] == [("RESOURCE_NOT_FOUND", "original")] * 2


async def test_a_merchant_that_lost_its_role_reverses_nothing(cast: Cast, world: World, server: Server) -> None:
    """Reversing asks for the role of the original."""
    merchant = await world.merchant("Lapsed", types.MERCHANT_ROLE_EARNING)
    ada = await world.member("ada", [merchant, cast.tel])
    earned = (await merchant.earn(ada, "100 TEL")).transfer
    request = directory_pb.SetMerchantRolesRequest(name=merchant.name, roles=[types.MERCHANT_ROLE_GENERAL])
    await world.operator.ask(world.stubs.directory.SetMerchantRoles, request)

    async with nothing_changes(server):
        refused = await refusal(merchant.post(a_reversal(earned)))

    assert (refused.reason, refused.metadata["role"]) == ("ROLE_MISSING", "EARNING")


async def test_in_a_batch_a_movement_can_be_reversed_that_was_made_before(cast: Cast) -> None:
    """The items before it have happened when it is decided; its own batch's transfers have no name yet to give."""
    ada = await cast.member()
    earned = (await cast.gro.earn(ada, "100 TEL")).transfer

    results = await cast.gro.batch(a_discount(ada, "40 TEL"), a_reversal(earned), an_earn(ada, "5 TEL"))

    assert [result.status.code for result in results] == [0, 0, 0]
    assert owed(results[1].transfer) == [(types.Obligation.KIND_REVERSAL, "TEL", "GRO", 720_000)]
    assert await cast.gro.balances(ada) == {"TEL": 5}
