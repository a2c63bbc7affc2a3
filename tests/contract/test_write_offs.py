"""A claim nobody expects to be paid is given up by two people; should it come back all the same, it is repaid."""

from __future__ import annotations

import pytest

from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit
from tests.contract.paid import Treasury, treasury_of
from tests.contract.recovered import approved_at_once, claim, recovery, write_off
from tests.contract.refusals import refusal
from tests.contract.test_defaults import COLLATERAL, GUARANTEE, LAYER, balances, default
from tests.contract.test_payments_against_caps import capped, exposures_of
from tests.worlds import World

LOST, GIVEN_UP = funds.FUNDS_PURPOSE_LOSS_WRITTEN_OFF, funds.FUNDS_PURPOSE_CLAIM_WRITTEN_OFF


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """GRO defaulted on ¥716.55: AIR and TEL stood in with ¥300.00 each, the operator with the other ¥16.55."""
    treasury = await treasury_of(own_world)
    for name, purpose, amount in (
        ("GRO", COLLATERAL, 10_000),
        ("OPR", LAYER, 1_655),
        ("AIR", GUARANTEE, 30_000),
        ("TEL", GUARANTEE, 30_000),
    ):
        await treasury.finance.agree(deposit(name, purpose, amount))
    await treasury.approved()
    await treasury.finance.agree(default())
    return treasury


async def test_whoever_would_be_repaid_last_bears_it_first(treasury: Treasury) -> None:
    """Shown before and noted after: the operator's layer, then AIR and TEL alike; no money moves by it."""
    proposed = await treasury.finance.propose(write_off(1_655 + 101))
    before = await balances(treasury.finance)
    await treasury.finance.approve_proposal(proposed)
    after = await balances(treasury.finance)
    found = await claim(treasury)

    shown = proposed.default_write_off
    assert [(one.participant, one.purpose, one.minor_units) for one in shown.losses] == [
        ("merchants/OPR", LAYER, 1_655),
        ("merchants/TEL", GUARANTEE, 50),
        ("merchants/AIR", GUARANTEE, 51),
    ]
    assert shown.claimed_minor_units == 61_655
    assert after == before | {
        ("OPR", LOST): 1_655,
        ("TEL", LOST): 50,
        ("AIR", LOST): 51,
        ("GRO", GIVEN_UP): 1_756,
    }
    assert (found.written_off_minor_units, found.remaining_minor_units) == (1_756, 61_655 - 1_756)
    assert [one.written_off_minor_units for one in found.stakes] == [51, 50, 1_655]


async def test_what_was_given_up_is_repaid_when_it_comes_all_the_same(treasury: Treasury) -> None:
    """First what is still claimed; what is above both is refused."""
    await treasury.finance.agree(write_off(1_655 + 100))
    over = await refusal(treasury.finance.propose(recovery(61_656, "BACK-0")))
    await treasury.finance.agree(recovery(59_900, "BACK-1"))
    nothing_left = await claim(treasury)

    back = await treasury.finance.agree(recovery(101, "BACK-2"))
    await treasury.finance.agree(recovery(1_654, "BACK-3"))
    found = await balances(treasury.finance)

    assert (over.reason, over.metadata["remaining"]) == ("RECOVERY_EXCEEDS", "61655")
    assert (nothing_left.remaining_minor_units, nothing_left.written_off_minor_units) == (0, 1_755)
    assert back.default_recovery.revived_minor_units == 101
    assert [(one.participant, one.minor_units) for one in back.default_recovery.repayments] == [
        ("merchants/AIR", 50),
        ("merchants/TEL", 50),
        ("merchants/OPR", 1),
    ]
    assert (found["AIR", GUARANTEE], found["TEL", GUARANTEE], found["OPR", LAYER]) == (30_000, 30_000, 1_655)
    assert {LOST, GIVEN_UP} & {purpose for _, purpose in found} == set()


@pytest.mark.provokes("WRITE_OFF_EXCEEDS")
async def test_only_what_somebody_bears_is_given_up(treasury: Treasury) -> None:
    """Not more than is claimed, of no default there was not, and nothing a run still lacks."""
    over = await refusal(treasury.finance.propose(write_off(61_656)))
    elsewhere = await refusal(treasury.finance.propose(write_off(1, window="windows/2")))
    nobody = await refusal(treasury.finance.propose(write_off(1, name="TEL")))
    await treasury.finance.agree(default("CAF"))
    lacking = await refusal(treasury.finance.propose(write_off(100, name="CAF")))

    assert over.metadata == {
        "resource": "merchants/GRO/defaults/1",
        "currency": "CNY",
        "borne": "61655",
        "missing": "0",
        "requested": "61656",
    }
    assert {no.reason for no in (elsewhere, nobody)} == {"RESOURCE_NOT_FOUND"}
    assert (lacking.metadata["borne"], lacking.metadata["missing"]) == ("0", "100")


async def test_what_is_given_up_is_owed_no_more(treasury: Treasury) -> None:
    """It stands against no cap and covers nothing: GRO's new collateral is free again."""
    world = treasury.finance.cast.world
    await capped(world, "GRO")
    maker, stub = treasury.finance.maker, treasury.stub
    window = (await maker.ask(stub.GetWindow, pb.GetWindowRequest(name="windows/1"))).window
    await treasury.export((await maker.ask(stub.GetRun, pb.GetRunRequest(name=window.run))).run)
    claimed = await exposures_of(world, ["GRO"])

    await treasury.finance.agree(write_off(60_000))
    in_part = await exposures_of(world, ["GRO"])
    await treasury.finance.agree(write_off(1_655))
    none = await exposures_of(world, ["GRO"])
    await treasury.finance.agree(recovery(55, "BACK-1"))

    assert (claimed, in_part, none) == ({"GRO": 616_550_000}, {"GRO": 16_550_000}, {"GRO": 0})
    assert await exposures_of(world, ["GRO"]) == {"GRO": 0}
    told = await treasury.finance.maker.ask(treasury.stub.ListFunds, funds.ListFundsRequest())
    assert [one for one in told.covers if one.participant == "merchants/GRO" and one.exposure_minor_units] == []


async def test_of_many_who_give_up_at_once_one_does(treasury: Treasury) -> None:
    """Four makers propose all of it, four checkers approve at the same moment; a recovery shown before is outdated."""
    stale = await treasury.finance.propose(recovery(700, "BACK-2"))

    approved = await approved_at_once(treasury.finance, write_off(61_655))
    outdated = await refusal(treasury.finance.approve_proposal(stale))

    assert approved == 1
    assert (await claim(treasury)).written_off_minor_units == 61_655
    assert (outdated.reason, outdated.metadata["state"]) == ("WRONG_STATE", "OUTDATED")
