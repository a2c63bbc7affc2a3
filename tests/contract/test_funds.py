"""Money participants leave with the clearing house: booked by two people, and kept apart."""

from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory
from settlement.v1 import funds_pb2 as funds
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.money import demanding, deposit, withdrawal
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_after_period_a, finance_of
from tests.worlds import World

PREFUNDING, COLLATERAL = funds.FUNDS_PURPOSE_PREFUNDING, funds.FUNDS_PURPOSE_COLLATERAL
GUARANTEE, OWN = funds.FUNDS_PURPOSE_GUARANTEE, funds.FUNDS_PURPOSE_OPERATOR_OWN
CLEARING, OWN_ACCOUNT = funds.FUNDS_PURPOSE_CLEARING_ACCOUNT, funds.FUNDS_PURPOSE_OWN_ACCOUNT


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition in whose first window the rulebook's period A has happened; it is closed."""
    return await finance_after_period_a(own_world)


async def listed(finance: Finance, by: Any = None) -> funds.ListFundsResponse:
    """What somebody is told of funds."""
    answer: funds.ListFundsResponse = await (by or finance.maker).ask(finance.stub.ListFunds, funds.ListFundsRequest())
    return answer


def amounts(answer: funds.ListFundsResponse) -> dict[tuple[str, int], int]:
    """Balances by participant and purpose."""
    return {(b.participant.removeprefix("merchants/"), b.purpose): b.minor_units for b in answer.balances}


async def test_money_is_booked_when_another_person_has_approved_it(finance: Finance) -> None:
    """Until then nothing is there; the operator's own money lies on another account than everybody's."""
    proposed = await finance.propose(deposit("GRO", PREFUNDING, 5_000))
    before = amounts(await listed(finance))
    await finance.approve_proposal(proposed)
    await finance.agree(deposit("GRO", COLLATERAL, 700))
    await finance.agree(deposit("OPR", OWN, 900))

    assert before == {}
    assert amounts(await listed(finance)) == {
        ("GRO", PREFUNDING): 5_000,
        ("GRO", COLLATERAL): 700,
        ("OPR", OWN): 900,
        ("OPR", CLEARING): 5_700,
        ("OPR", OWN_ACCOUNT): 900,
    }


async def test_cover_stands_beside_what_is_owed(finance: Finance) -> None:
    """GRO owes ¥716.55 net in a window that no run has netted; its cap is what the terms make of its funds."""
    await finance.agree(demanding(funds.LIQUIDITY_DEMAND_SHOW, cap_bps=15_000))
    await finance.agree(deposit("GRO", PREFUNDING, 5_000))
    await finance.agree(deposit("GRO", GUARANTEE, 9_000))

    (cover,) = [one for one in (await listed(finance)).covers if one.participant == "merchants/GRO"]

    assert (cover.exposure_minor_units, cover.cover_minor_units, cover.cap_minor_units) == (71_655, 5_000, 7_500)


async def test_what_is_owed_is_the_same_before_and_after_netting(finance: Finance) -> None:
    """Counted from the window's totals, from a run's payments, and from a window on top of it."""
    open_ = {c.participant: c.exposure_minor_units for c in (await listed(finance)).covers}
    await finance.start("windows/1")
    netted = {c.participant: c.exposure_minor_units for c in (await listed(finance)).covers}
    await finance.cast.gro.earn(finance.member, "1 000 TEL")
    later = {c.participant: c.exposure_minor_units for c in (await listed(finance)).covers}

    assert open_ == netted == {"merchants/GRO": 71_655, "merchants/BNK": 60_000, "merchants/CAF": 100}
    assert later == netted | {"merchants/GRO": 71_655 + 1_200}


@pytest.mark.provokes("FUNDS_INSUFFICIENT")
async def test_no_more_leaves_than_there_is(finance: Finance) -> None:
    """Asked for, and approved after another withdrawal took it."""
    await finance.agree(deposit("TEL", PREFUNDING, 500))
    first = await finance.propose(withdrawal("TEL", PREFUNDING, 400))
    second = await finance.propose(withdrawal("TEL", PREFUNDING, 300))
    await finance.approve_proposal(first)

    too_late = await refusal(finance.approve_proposal(second))
    too_much = await refusal(finance.propose(withdrawal("TEL", PREFUNDING, 101)))

    assert (too_late.reason, too_much.reason) == ("FUNDS_INSUFFICIENT", "FUNDS_INSUFFICIENT")
    assert too_late.metadata == {
        "resource": "merchants/TEL/funds/CNY/prefunding",
        "available": "100",
        "requested": "300",
    }
    assert amounts(await listed(finance))["TEL", PREFUNDING] == 100


@pytest.mark.provokes("EXPOSURE_UNCOVERED")
async def test_what_covers_a_debt_does_not_leave(finance: Finance) -> None:
    """CAF owes ¥1.00: all but that may go, of its guarantee contribution nothing while it is not covered."""
    await finance.agree(deposit("CAF", COLLATERAL, 150))
    await finance.agree(deposit("GRO", GUARANTEE, 150))

    refused = await refusal(finance.propose(withdrawal("CAF", COLLATERAL, 51)))
    guarantee = await refusal(finance.propose(withdrawal("GRO", GUARANTEE, 1)))
    await finance.agree(withdrawal("CAF", COLLATERAL, 50))

    assert (refused.reason, guarantee.reason) == ("EXPOSURE_UNCOVERED", "EXPOSURE_UNCOVERED")
    assert (refused.metadata["exposure"], refused.metadata["left"]) == ("100", "99")
    assert amounts(await listed(finance))["CAF", COLLATERAL] == 100


async def test_a_line_of_a_bank_statement_is_money_once(finance: Finance) -> None:
    """Neither proposed after it was booked, nor approved twice; in another currency it is another line."""
    first = await finance.propose(deposit("GRO", PREFUNDING, 5_000, reference="B-1"))
    second = await finance.propose(deposit("TEL", PREFUNDING, 7_000, reference="B-1"))
    await finance.approve_proposal(first)

    noes = [
        await refusal(finance.approve_proposal(second)),
        await refusal(finance.propose(deposit("GRO", COLLATERAL, 1, reference="B-1"))),
    ]
    again = await finance.approve_proposal(first)
    await finance.agree(deposit("TEL", PREFUNDING, 7_000, reference="B-1", currency="USD"))

    assert [no.reason for no in noes] == ["RESOURCE_EXISTS"] * 2
    assert again.state == pb.Proposal.STATE_APPROVED
    assert amounts(await listed(finance))["GRO", PREFUNDING] == 5_000


async def test_money_has_the_right_owner(finance: Finance) -> None:
    """The operator has no prefunding, and nobody else an operator's layer; who takes no part has nothing."""
    layer = funds.FUNDS_PURPOSE_OPERATOR_LAYER

    noes = [
        await refusal(finance.propose(deposit("OPR", PREFUNDING, 1))),
        await refusal(finance.propose(deposit("GRO", layer, 1))),
    ]
    unknown = await refusal(finance.propose(deposit("XXX", PREFUNDING, 1)))

    assert [no.fields for no in noes] == [("proposal.funds_movement.purpose",)] * 2
    assert unknown.reason == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"way": 0}, "way"),
        ({"purpose": 0}, "purpose"),
        ({"purpose": CLEARING}, "purpose"),
        ({"purpose": funds.FUNDS_PURPOSE_DEFAULT_COVER}, "purpose"),
        ({"purpose": funds.FUNDS_PURPOSE_LOSS_REPAID}, "purpose"),
        ({"purpose": funds.FUNDS_PURPOSE_LOSS_BORNE}, "purpose"),
        ({"purpose": funds.FUNDS_PURPOSE_DEFAULT_CLAIM}, "purpose"),
        ({"minor_units": 0}, "minor_units"),
        ({"minor_units": 2**62}, "minor_units"),
        ({"reference": ""}, "reference"),
        ({"value_date": ""}, "value_date"),
        ({"value_date": "2026-02-30"}, "value_date"),
        ({"currency_code": "XXQ"}, "currency_code"),
        ({"participant": "GRO"}, "participant"),
    ],
)
async def test_a_movement_is_well_formed(finance: Finance, wrong: dict[str, Any], field: str) -> None:
    """Each field by its path."""
    proposal = deposit("GRO", PREFUNDING, 5)
    for name, value in wrong.items():
        setattr(proposal.funds_movement, name, value)

    refused = await refusal(finance.propose(proposal))

    assert refused.fields == (f"proposal.funds_movement.{field}",)


async def test_terms_of_funds_are_well_formed(finance: Finance) -> None:
    """One entry a currency, shares within what shares can be."""
    proposal = pb.Proposal(
        funds_terms=funds.FundsTerms(
            currencies=[
                funds.CurrencyFundsTerms(currency_code="CNY", cap_bps=-1, contribution_cap_bps=10_001),
                funds.CurrencyFundsTerms(currency_code="CNY"),
            ]
        )
    )

    refused = await refusal(finance.propose(proposal))

    path = "proposal.funds_terms.currencies"
    assert set(refused.fields) == {f"{path}[0].cap_bps", f"{path}[0].contribution_cap_bps", f"{path}[1].currency_code"}


async def test_a_merchant_sees_its_own_funds_and_nobody_elses(finance: Finance) -> None:
    """Neither balances nor lines of the book; whom it names besides itself is not there."""
    await finance.agree(deposit("GRO", PREFUNDING, 5_000))
    await finance.agree(deposit("TEL", PREFUNDING, 7_000))
    gro = finance.cast.gro

    seen = await listed(finance, gro)
    lines = await gro.ask(finance.stub.ListFundsPostings, funds.ListFundsPostingsRequest())
    other = funds.ListFundsRequest(participant="merchants/TEL")
    refused = await refusal(gro.ask(finance.stub.ListFunds, other))

    assert amounts(seen) == {("GRO", PREFUNDING): 5_000}
    assert {one.participant for one in seen.covers} == {"merchants/GRO"}
    assert [(one.credit_participant, one.minor_units, one.actor) for one in lines.postings] == [
        ("merchants/GRO", 5_000, "")
    ]
    assert refused.reason == "RESOURCE_NOT_FOUND"


async def test_the_book_is_read_page_by_page(finance: Finance) -> None:
    """Newest first, every line with the proposal it came of."""
    agreed = [await finance.agree(deposit("GRO", PREFUNDING, amount)) for amount in (1, 2, 3)]

    pages = await every_page(
        finance.maker, finance.stub.ListFundsPostings, funds.ListFundsPostingsRequest, 2, participant="merchants/GRO"
    )

    lines = [line for page in pages for line in page.postings]
    assert [len(page.postings) for page in pages] == [2, 1]
    assert [(line.minor_units, line.proposal) for line in lines] == [
        (amount, one.name) for amount, one in reversed(list(zip((1, 2, 3), agreed, strict=True)))
    ]
    assert {(line.debit_purpose, line.credit_purpose) for line in lines} == {(CLEARING, PREFUNDING)}


async def test_nobody_approves_money_he_proposed(own_world: World) -> None:
    """Under whatever key; the book stays empty."""
    finance = await finance_of(own_world)
    maker = await own_world.party(directory.CALLER_ROLE_FINANCE_MAKER, "ann")
    checker = await own_world.party(directory.CALLER_ROLE_FINANCE_CHECKER, "ann")
    request = pb.ProposeChangeRequest(proposal=deposit("GRO", PREFUNDING, 5))
    proposal = (await maker.ask(finance.stub.ProposeChange, request)).proposal
    decision = pb.ApproveProposalRequest(name=proposal.name, digest=proposal.digest)

    refused = await refusal(checker.ask(finance.stub.ApproveProposal, decision))

    assert refused.reason == "SAME_PERSON"
    assert amounts(await listed(finance)) == {}
