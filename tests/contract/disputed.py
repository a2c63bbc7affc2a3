"""Disputes as a partner's and finance's programs make them."""

from __future__ import annotations

from typing import Any

from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.pages import every_page
from tests.contract.settled import Finance
from tests.movements import a_key
from tests.worlds import Party

ANSWER = pb.AnswerDisputeRequest
STATE = pb.Dispute.State
NOWHERE = "00000000-0000-4000-8000-000000000000"
"""The id of nothing."""


def a_claim(made: types.Transfer, minor_units: int, key: str | None = None, **fields: Any) -> pb.OpenDisputeRequest:
    """That so much of a transfer's first obligation is not owed."""
    owed = made.obligations[0]
    return pb.OpenDisputeRequest(
        **{
            "request_id": key or a_key(),
            "transfer": made.name,
            "debtor": owed.debtor,
            "creditor": owed.creditor,
            "currency_code": owed.amount.currency_code,
            "minor_units": minor_units,
            "reason": pb.DISPUTE_REASON_WRONG_AMOUNT,
            "statement": "less was agreed",
            "evidence": "mail of 3 March",
            **fields,
        }
    )


async def opened(
    finance: Finance, claimant: Party, transfer: types.Transfer, minor_units: int, **fields: Any
) -> pb.Dispute:
    """A dispute that a claimant opens."""
    request = a_claim(transfer, minor_units, **fields)
    dispute: pb.Dispute = (await claimant.ask(finance.stub.OpenDispute, request)).dispute
    return dispute


async def answered(
    finance: Finance, respondent: Party, dispute: pb.Dispute, answer: pb.AnswerDisputeRequest.Answer.ValueType
) -> pb.Dispute:
    """A dispute that the other side answers."""
    request = pb.AnswerDisputeRequest(name=dispute.name, answer=answer, statement="we looked", evidence="page 2")
    found: pb.Dispute = (await respondent.ask(finance.stub.AnswerDispute, request)).dispute
    return found


async def withdrawn(finance: Finance, claimant: Party, dispute: pb.Dispute) -> pb.Dispute:
    """A dispute that the claimant takes back."""
    request = pb.WithdrawDisputeRequest(name=dispute.name, reason="found it")
    found: pb.Dispute = (await claimant.ask(finance.stub.WithdrawDispute, request)).dispute
    return found


async def read(finance: Finance, dispute: pb.Dispute, reader: Party | None = None) -> pb.Dispute:
    """A dispute as it stands."""
    request = pb.GetDisputeRequest(name=dispute.name)
    found: pb.Dispute = (await (reader or finance.maker).ask(finance.stub.GetDispute, request)).dispute
    return found


def a_decision(dispute: pb.Dispute, upheld: int) -> settlement.Proposal:
    """That so much of what is claimed is not owed."""
    return settlement.Proposal(dispute_decision=pb.DisputeDecision(dispute=dispute.name, upheld_minor_units=upheld))


async def decided(finance: Finance, dispute: pb.Dispute, upheld: int) -> pb.Dispute:
    """A contested dispute that a maker and a checker decide."""
    await finance.agree(a_decision(dispute, upheld))
    return await read(finance, dispute)


def an_adjustment(debtor: str, creditor: str, minor_units: int, **fields: Any) -> settlement.Proposal:
    """That somebody owes so much more."""
    return settlement.Proposal(
        adjustment=pb.AgreedAdjustment(
            debtor=f"merchants/{debtor}",
            creditor=f"merchants/{creditor}",
            currency_code="CNY",
            minor_units=minor_units,
            evidence="invoice 4711",
            **fields,
        )
    )


def a_policy(**fields: Any) -> settlement.Proposal:
    """A policy of disputes: everything is held out, silence upholds, indecision rejects."""
    terms = {
        "answer_days": 10,
        "decision_days": 20,
        "claim_days": 90,
        "unanswered": pb.DISPUTE_VERDICT_UPHELD,
        "undecided": pb.DISPUTE_VERDICT_REJECTED,
        "held_out_reasons": [number for number in pb.DisputeReason.values() if number],
        "owner": "desk",
        **fields,
    }
    return settlement.Proposal(dispute_policy=pb.DisputePolicy(**terms))


async def listed(finance: Finance, caller: Party, page_size: int = 1_000, **filters: Any) -> list[pb.Dispute]:
    """Disputes as a caller sees them."""
    pages = await every_page(caller, finance.stub.ListDisputes, pb.ListDisputesRequest, page_size, **filters)
    return [dispute for page in pages for dispute in page.disputes]


async def adjustments(finance: Finance, caller: Party, page_size: int = 1_000, **filters: Any) -> list[pb.Adjustment]:
    """Adjustments as a caller sees them."""
    pages = await every_page(
        caller, finance.stub.ListSettlementAdjustments, pb.ListSettlementAdjustmentsRequest, page_size, **filters
    )
    return [adjustment for page in pages for adjustment in page.adjustments]


async def nets(finance: Finance, run: settlement.Run) -> dict[str, int]:
    """What each is owed in all in a run, fen; zero is left out."""
    (rows,) = await finance.rows(finance.maker, run, "positions")
    found = {
        row.participant.removeprefix("merchants/"): row.net_receive_minor_units - row.net_pay_minor_units
        for row in rows
    }
    return {name: net for name, net in found.items() if net}


async def held(finance: Finance, run: settlement.Run) -> list[tuple[str, int]]:
    """What a run holds out for disputes: (dispute, fen)."""
    (rows,) = await finance.rows(finance.maker, run, "items")
    leaves = settlement.CarriedItem.WAY_LEAVES
    return [(row.dispute, row.minor_units) for row in rows if row.dispute and row.way == leaves]
