"""After a default: nobody is asked to pay again what others stand in for, and what comes back repays them."""

import pytest

from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.banks import comes_back, debit, statement
from tests.contract.money import deposit, withdrawal
from tests.contract.paid import Treasury, treasury_of
from tests.contract.recovered import GRO, approved_at_once, claim, pay_the_others, recovery, rejected
from tests.contract.refusals import refusal
from tests.contract.test_defaults import COLLATERAL, COVER, GUARANTEE, LAYER, balances, default
from tests.contract.test_payments_against_caps import capped, exposures_of
from tests.worlds import World

FUNDS = (("GRO", COLLATERAL, 10_000), ("OPR", LAYER, 10_000), ("AIR", GUARANTEE, 20_000), ("TEL", GUARANTEE, 20_000))
MISSING = 71_655 - 60_000
"""What nobody holds when GRO does not pay."""


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """Period A is closed: GRO is to pay ¥716.55, for which ¥600.00 stand in."""
    treasury = await treasury_of(own_world)
    for name, purpose, amount in FUNDS:
        await treasury.finance.agree(deposit(name, purpose, amount))
    return treasury


async def test_a_defaulter_is_not_asked_again_and_a_covered_run_is_settled(treasury: Treasury) -> None:
    """The bank said no, enough stands in: nothing is left to retry, and the others' bookings settle the run."""
    await treasury.finance.agree(deposit("AIR", GUARANTEE, 20_000))
    run, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered[GRO]))

    await treasury.finance.agree(default())
    covered = await treasury.states(run)
    again = await treasury.retry(run)
    await pay_the_others(treasury, ordered)

    assert covered[GRO] == "COVERED"
    assert again == []
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_SETTLED


async def test_a_default_before_the_export_leaves_the_defaulter_out_of_the_file(treasury: Treasury) -> None:
    """The bank is told of everybody else; the run cannot be settled while something is missing."""
    run = await treasury.approved()
    await treasury.finance.agree(default())

    (file,) = (await treasury.export(run)).files
    ordered = await treasury.ordered(file)
    await pay_the_others(treasury, ordered)

    assert GRO not in ordered
    assert (await treasury.states(run))[GRO] == "UNCOVERED"
    assert (await treasury.finance.read(run)).state == pb.Run.STATE_PARTIALLY_SETTLED


async def test_no_default_while_a_bank_may_still_pay(treasury: Treasury) -> None:
    """Else the bank's answer and those who stand in would pay the same twice; what came back may be defaulted on."""
    run, ordered = await treasury.instructed()

    refused = await refusal(treasury.finance.propose(default()))
    await treasury.record(statement(debit(ordered[GRO]), comes_back(ordered[GRO])))
    await treasury.finance.agree(default())

    assert (refused.reason, refused.metadata["state"]) == ("WRONG_STATE", "PAYMENT_UNDER_WAY")
    assert (await treasury.states(run))[GRO] == "UNCOVERED"


async def test_what_comes_back_repays_whoever_stood_in_last_first(treasury: Treasury) -> None:
    """First the cover, which settles the run, then AIR and TEL alike, then the operator; what is left is told."""
    run, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered[GRO]))
    await treasury.finance.agree(default())
    await pay_the_others(treasury, ordered)
    before, short = await claim(treasury), (await treasury.finance.read(run)).state

    first = await treasury.finance.propose(recovery(MISSING + 101, "BACK-1"))
    unposted = await balances(treasury.finance)
    await treasury.finance.approve_proposal(first)
    between, settled = await claim(treasury), (await treasury.finance.read(run)).state
    await treasury.finance.agree(recovery(between.remaining_minor_units, "BACK-2"))
    after = await claim(treasury)

    assert (before.loss_minor_units, before.claimed_minor_units, before.missing_minor_units) == (
        71_655,
        61_655,
        MISSING,
    )
    assert (short, settled) == (pb.Run.STATE_PARTIALLY_SETTLED, pb.Run.STATE_SETTLED)
    assert [(one.participant, one.purpose, one.minor_units) for one in first.default_recovery.repayments] == [
        ("merchants/GRO", COVER, MISSING),
        ("merchants/AIR", GUARANTEE, 51),
        ("merchants/TEL", GUARANTEE, 50),
    ]
    assert unposted["GRO", COVER] == 60_000
    assert (between.recovered_minor_units, between.missing_minor_units) == (MISSING + 101, 0)
    assert (after.remaining_minor_units, after.recovered_minor_units) == (0, 61_655)
    found = await balances(treasury.finance)
    assert {key: found[key] for key in (("AIR", GUARANTEE), ("TEL", GUARANTEE), ("OPR", LAYER), ("GRO", COVER))} == {
        ("AIR", GUARANTEE): 20_000,
        ("TEL", GUARANTEE): 20_000,
        ("OPR", LAYER): 10_000,
        ("GRO", COVER): 71_655,
    }
    assert ("GRO", COLLATERAL) not in found


@pytest.mark.provokes("RECOVERY_EXCEEDS")
async def test_a_recovery_that_is_none_is_refused(treasury: Treasury) -> None:
    """More than is claimed, of a default there was not, or by a reference of the bank that was booked before."""
    await treasury.approved()
    nothing = await refusal(treasury.finance.propose(recovery(1, "BACK-0")))
    await treasury.finance.agree(default())
    await treasury.finance.agree(deposit("TEL", COLLATERAL, 5, "BACK-3"))

    over = await refusal(treasury.finance.propose(recovery(61_656, "BACK-1")))
    elsewhere = await refusal(treasury.finance.propose(recovery(1, "BACK-1", window="windows/2")))
    nobody = await refusal(treasury.finance.propose(recovery(1, "BACK-1", name="TEL")))
    booked = await refusal(treasury.finance.propose(recovery(1, "BACK-3")))
    await treasury.finance.agree(recovery(1, "BACK-4"))
    other_way = await refusal(treasury.finance.propose(deposit("TEL", COLLATERAL, 5, "BACK-4")))

    assert (over.reason, over.metadata) == (
        "RECOVERY_EXCEEDS",
        {"resource": "merchants/GRO/defaults/1", "currency": "CNY", "remaining": "61655", "came": "61656"},
    )
    assert {no.reason for no in (nothing, elsewhere, nobody)} == {"RESOURCE_NOT_FOUND"}
    assert {no.reason for no in (booked, other_way)} == {"RESOURCE_EXISTS"}


async def test_of_many_who_approve_one_recovery_at_once_one_posts(treasury: Treasury) -> None:
    """The same money proposed by four makers is booked once; another recovery shown before it is out of date."""
    await treasury.approved()
    await treasury.finance.agree(default())
    stale = await treasury.finance.propose(recovery(700, "BACK-2"))

    approved = await approved_at_once(treasury.finance, recovery(500, "BACK-1"))
    outdated = await refusal(treasury.finance.approve_proposal(stale))

    assert approved == 1
    assert (outdated.reason, outdated.metadata["state"]) == ("WRONG_STATE", "OUTDATED")
    assert (await claim(treasury)).recovered_minor_units == 500


async def test_approving_a_recovery_again_answers_what_it_did(treasury: Treasury) -> None:
    """A checker whose answer was lost types the same: nothing is posted twice."""
    await treasury.approved()
    await treasury.finance.agree(default())
    proposed = await treasury.finance.propose(recovery(500, "BACK-1"))
    request = pb.ApproveProposalRequest(name=proposed.name, digest=proposed.digest)

    first = await treasury.finance.checker.ask(treasury.stub.ApproveProposal, request)
    again = await treasury.finance.checker.ask(treasury.stub.ApproveProposal, request)

    assert (first.replayed, again.replayed) == (False, True)
    assert (await claim(treasury)).recovered_minor_units == 500


async def test_a_claim_stands_against_the_defaulters_funds_and_merchants_see_their_own(treasury: Treasury) -> None:
    """What it leaves later does not go again while it owes; whoever stood in is told in its own lines."""
    await treasury.approved()
    await treasury.finance.agree(default())
    await treasury.finance.agree(deposit("GRO", COLLATERAL, 61_655))

    covered = await refusal(treasury.finance.propose(withdrawal("GRO", COLLATERAL, 1)))
    await treasury.finance.agree(recovery(1, "BACK-1"))
    await treasury.finance.agree(withdrawal("GRO", COLLATERAL, 1))
    cast = treasury.finance.cast
    own = await cast.gro.ask(treasury.stub.ListFunds, funds.ListFundsRequest())
    others = await cast.air.ask(treasury.stub.ListFunds, funds.ListFundsRequest())

    assert covered.reason == "EXPOSURE_UNCOVERED"
    assert [(one.remaining_minor_units, len(one.stakes)) for one in own.claims] == [(61_654, 0)]
    assert list(others.claims) == []


async def test_a_covered_default_stands_against_a_cap_as_far_as_it_is_claimed(treasury: Treasury) -> None:
    """What GRO's own money paid it no longer owes; the rest it owes until it has come back."""
    await treasury.finance.agree(deposit("AIR", GUARANTEE, 20_000))
    world = treasury.finance.cast.world
    before = await capped(world, "GRO")
    run, ordered = await treasury.instructed()
    await treasury.record(rejected(ordered[GRO]))

    await treasury.finance.agree(default())
    defaulted = await exposures_of(world, ["GRO"])
    await treasury.finance.agree(recovery(1_655, "BACK-1"))
    in_part = await exposures_of(world, ["GRO"])
    await treasury.finance.agree(recovery(60_000, "BACK-2"))

    assert before == 716_550_000
    assert (defaulted, in_part) == ({"GRO": 616_550_000}, {"GRO": 600_000_000})
    assert await exposures_of(world, ["GRO"]) == {"GRO": 0}
    assert (await claim(treasury)).remaining_minor_units == 0
    assert (await treasury.states(run))[GRO] == "COVERED"
