"""A participant does not pay: two people declare it, and whoever stands in is posted as it was shown."""

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import deposit, withdrawal
from tests.contract.proposed import exclusions
from tests.contract.recovered import approved_at_once
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a
from tests.worlds import World

PREFUNDING, COLLATERAL = funds.FUNDS_PURPOSE_PREFUNDING, funds.FUNDS_PURPOSE_COLLATERAL
GUARANTEE, LAYER = funds.FUNDS_PURPOSE_GUARANTEE, funds.FUNDS_PURPOSE_OPERATOR_LAYER
COVER, CLEARING = funds.FUNDS_PURPOSE_DEFAULT_COVER, funds.FUNDS_PURPOSE_CLEARING_ACCOUNT
TAKES = funds.LayerTake


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """Period A is closed: GRO is to pay ¥716.55. It left ¥500.00, the operator ¥100.00, AIR and TEL ¥200.00 each."""
    finance = await finance_after_period_a(own_world)
    for name, purpose, amount in (
        ("GRO", PREFUNDING, 40_000),
        ("GRO", COLLATERAL, 10_000),
        ("OPR", LAYER, 10_000),
        ("AIR", GUARANTEE, 20_000),
        ("TEL", GUARANTEE, 20_000),
    ):
        await finance.agree(deposit(name, purpose, amount))
    return finance


async def approved(finance: Finance) -> pb.Run:
    """The run of the first window, approved."""
    return await finance.approve(await finance.submit((await finance.start("windows/1")).run))


def default(name: str = "GRO", window: str = "windows/1") -> pb.Proposal:
    """That somebody does not pay."""
    return pb.Proposal(default_declaration=funds.DefaultDeclaration(participant=f"merchants/{name}", window=window))


async def balances(finance: Finance) -> dict[tuple[str, int], int]:
    """By participant and purpose, where there is anything."""
    told = await finance.maker.ask(finance.stub.ListFunds, funds.ListFundsRequest())
    return {
        (b.participant.removeprefix("merchants/"), b.purpose): b.minor_units for b in told.balances if b.minor_units
    }


async def test_a_run_others_stand_in_for_is_not_taken_back(finance: Finance) -> None:
    """Neither by excluding whoever defaulted, which holds from the next window on, nor by cancelling it."""
    run = await approved(finance)
    await finance.agree(default())

    await finance.agree(exclusions("GRO"))
    cancelling = finance.maker.ask(finance.stub.CancelRun, pb.CancelRunRequest(name=run.name, reason="too late"))
    refused = await refusal(cancelling)
    await finance.close("windows/2")
    after = (await finance.start("windows/2")).run

    assert (await finance.read(run)).state == pb.Run.STATE_APPROVED
    assert (refused.reason, refused.metadata["state"]) == ("WINDOW_STATE", "a default was declared")
    assert list(after.configuration.excluded) == ["merchants/GRO"]


async def test_whoever_stands_in_is_shown_before_and_posted_after(finance: Finance) -> None:
    """GRO's own, the operator's layer, then AIR and TEL alike: together what GRO was to pay."""
    run = await approved(finance)

    proposed = await finance.propose(default())
    before = await balances(finance)
    declared = await finance.approve_proposal(proposed)

    (fall,) = proposed.default_declaration.waterfalls
    assert proposed.default_declaration.result_digest == run.result_digest
    assert (fall.loss_minor_units, fall.open_minor_units, dict(fall.allocated_minor_units)) == (71_655, 0, {})
    assert [(take.layer, take.participant, take.taken_minor_units) for take in fall.takes] == [
        (TAKES.LAYER_OWN_PREFUNDING, "merchants/GRO", 40_000),
        (TAKES.LAYER_OWN_COLLATERAL, "merchants/GRO", 10_000),
        (TAKES.LAYER_OWN_GUARANTEE, "merchants/GRO", 0),
        (TAKES.LAYER_OPERATOR, "merchants/OPR", 10_000),
        (TAKES.LAYER_OTHERS_GUARANTEE, "merchants/AIR", 5_828),
        (TAKES.LAYER_OTHERS_GUARANTEE, "merchants/TEL", 5_827),
    ]
    assert before["GRO", PREFUNDING] == 40_000
    assert declared.default_declaration == proposed.default_declaration
    assert await balances(finance) == {
        ("AIR", GUARANTEE): 20_000 - 5_828,
        ("TEL", GUARANTEE): 20_000 - 5_827,
        ("GRO", COVER): 71_655,
        ("OPR", CLEARING): 100_000,
    }


async def test_the_cover_leaves_to_those_who_were_owed(finance: Finance) -> None:
    """By a withdrawal like any other; no more than was taken."""
    await approved(finance)
    await finance.agree(default())

    too_much = await refusal(finance.propose(withdrawal("GRO", COVER, 71_656)))
    await finance.agree(withdrawal("GRO", COVER, 71_655))

    assert too_much.reason == "FUNDS_INSUFFICIENT"
    assert (await balances(finance))["OPR", CLEARING] == 100_000 - 71_655


async def test_a_default_is_declared_once(finance: Finance) -> None:
    """A second time neither proposed nor approved; of another participant it is another."""
    await approved(finance)
    first = await finance.propose(default())
    second_maker = await finance.cast.world.party(directory.CALLER_ROLE_FINANCE_MAKER)
    second = (await second_maker.ask(finance.stub.ProposeChange, pb.ProposeChangeRequest(proposal=default()))).proposal
    await finance.approve_proposal(first)

    again = await refusal(finance.propose(default()))
    too_late = await refusal(finance.approve_proposal(second))
    await finance.agree(default("CAF"))

    assert again.metadata == {
        "resource": "merchants/GRO/defaults/1",
        "state": "DECLARED",
        "needed": "NOT_DECLARED",
    }
    assert too_late.reason == "WRONG_STATE"
    assert (await balances(finance))["CAF", COVER] == 100


async def test_what_changed_since_it_was_shown_is_not_posted(finance: Finance) -> None:
    """More collateral came: the layers are others now, and somebody must look again."""
    await approved(finance)
    proposed = await finance.propose(default())
    await finance.agree(deposit("GRO", COLLATERAL, 1))

    refused = await refusal(finance.approve_proposal(proposed))
    await finance.agree(default())

    assert refused.metadata == {"resource": proposed.name, "state": "OUTDATED", "needed": "WAITING"}
    assert (await balances(finance))["AIR", GUARANTEE] == 20_000 - 5_827


async def test_a_default_is_on_an_approved_run_by_somebody_who_pays(finance: Finance) -> None:
    """Not on a preview, not by whom the run pays, not on a window without a run, nor by nobody."""
    await finance.start("windows/1")
    preview = await refusal(finance.propose(default()))
    await approved(finance)
    receives = await refusal(finance.propose(default("TEL")))
    not_run = await refusal(finance.propose(default(window="windows/2")))
    nobody = await refusal(finance.propose(default("XXX")))
    nowhere = await refusal(finance.propose(default(window="windows/9")))

    assert (preview.reason, preview.metadata["state"]) == ("WINDOW_STATE", "CALCULATED")
    assert (receives.reason, receives.metadata["state"]) == ("WRONG_STATE", "NOTHING_TO_PAY")
    assert not_run.reason == "WINDOW_STATE"
    assert (nobody.reason, nowhere.reason) == ("RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND")


async def test_of_many_who_approve_at_once_one_posts(finance: Finance) -> None:
    """Four proposals of the same default by four makers, approved at the same moment."""
    await approved(finance)

    one = await approved_at_once(finance, default())

    assert one == 1
    assert (await balances(finance))["GRO", COVER] == 71_655
