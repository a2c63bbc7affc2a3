"""Adjustments that finance agrees to without a dispute, by two persons."""

from __future__ import annotations

import pytest

from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.disputed import NOWHERE, a_decision, adjustments, an_adjustment, nets
from tests.contract.refusals import refusal
from tests.contract.settled import Finance


async def test_finance_adjusts_by_two_persons(finance: Finance, award: types.Transfer) -> None:
    """With evidence; it is netted with the window that is open when the checker says yes, once."""
    await finance.close("windows/1")
    proposed = await finance.propose(an_adjustment("TEL", "CAF", 75, transfer=award.name))
    none = await adjustments(finance, finance.maker)
    await finance.approve_proposal(proposed)
    await finance.approve_proposal(proposed)
    await finance.start("windows/1")
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run

    (made,) = await adjustments(finance, finance.cast.caf)
    assert none == []
    assert (made.cause, made.proposal, made.transfer, made.window) == (
        pb.Adjustment.CAUSE_AGREED,
        proposed.name,
        award.name,
        "windows/2",
    )
    assert await nets(finance, second) == {"CAF": 75, "TEL": -75}


@pytest.mark.parametrize(
    ("proposal", "field"),
    [
        (an_adjustment("NIX", "GRO", 5), "proposal.adjustment.debtor"),
        (an_adjustment("GRO", "NIX", 5), "proposal.adjustment.creditor"),
        (an_adjustment("GRO", "TEL", 5, transfer=f"transfers/{NOWHERE}"), "proposal.adjustment.transfer"),
        (a_decision(pb.Dispute(name=f"disputes/{NOWHERE}"), 5), "proposal.dispute_decision.dispute"),
    ],
)
async def test_what_is_proposed_must_be_about_what_there_is(
    finance: Finance, proposal: settlement.Proposal, field: str
) -> None:
    """Participants, transfers and disputes, by the field that names them."""
    refused = await refusal(finance.propose(proposal))

    assert (refused.reason, refused.metadata["field"]) == ("RESOURCE_NOT_FOUND", field)


async def test_nobody_owes_himself_by_adjustment(finance: Finance) -> None:
    """The field is named."""
    refused = await refusal(finance.propose(an_adjustment("GRO", "GRO", 5)))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("proposal.adjustment.creditor",))
