"""Disputes and adjustments on the wire: requests to values, values to messages."""

from __future__ import annotations

from uuid import UUID

from exchange.money.currencies import MINOR_EXPONENT
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.instants import timestamp
from settlement.api import wire
from settlement.disputes.model import (
    Adjustment,
    AdjustmentCause,
    AgreedAdjustment,
    Cause,
    Dispute,
    DisputeDecision,
    DisputePolicy,
    Obligation,
    Reason,
    State,
    Step,
    Treatment,
    Verdict,
)
from settlement.disputes.service import Claim
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement

REQUEST_ID_MAX, EVIDENCE_MAX, OWNER_MAX = 64, 200, 64
DAYS_MAX, CLAIM_DAYS_MAX = 366, 3_660
MINOR_UNITS_MAX = 10**15
"""More than any coalition turns over; what is netted stays far from 64 bits."""

REASONS = {reason: pb.DisputeReason.Value(f"DISPUTE_REASON_{reason.name}") for reason in Reason}
REASON_OF: dict[int, Reason] = {number: reason for reason, number in REASONS.items()}
VERDICTS = {verdict: pb.DisputeVerdict.Value(f"DISPUTE_VERDICT_{verdict.name}") for verdict in Verdict}
VERDICT_OF: dict[int, Verdict] = {number: verdict for verdict, number in VERDICTS.items()}
TREATMENTS = {one: pb.DisputeTreatment.Value(f"DISPUTE_TREATMENT_{one.name}") for one in Treatment}
STATES = {state: pb.Dispute.State.Value(f"STATE_{state.name}") for state in State}
CAUSES = {cause: pb.DisputeStep.Cause.Value(f"CAUSE_{cause.name}") for cause in Cause}
ADJUSTMENT_CAUSES = {cause: pb.Adjustment.Cause.Value(f"CAUSE_{cause.name}") for cause in AdjustmentCause}


def claim(check: Violations, asked: pb.OpenDisputeRequest) -> Claim:
    """What somebody claims."""
    return Claim(
        request_id=check.text("request_id", asked.request_id, 1, REQUEST_ID_MAX),
        obligation=Obligation(
            UUID(check.uuid_name("transfer", asked.transfer, "transfers")),
            check.resource_name("debtor", asked.debtor, "merchants"),
            check.resource_name("creditor", asked.creditor, "merchants"),
            _currency(check, "currency_code", asked.currency_code),
        ),
        minor_units=check.positive("minor_units", asked.minor_units, MINOR_UNITS_MAX),
        reason=_reason(check, "reason", asked.reason),
        statement=check.text("statement", asked.statement, 0, wire.REASON_MAX),
        evidence=check.text("evidence", asked.evidence, 0, EVIDENCE_MAX),
    )


def dispute_id(check: Violations, path: str, name: str) -> UUID:
    """The id in a dispute's name."""
    return UUID(check.uuid_name(path, name, "disputes"))


def accepts(check: Violations, answer: int) -> bool:
    """Whether an answer is a yes."""
    number = check.known("answer", answer, known_numbers(pb.AnswerDisputeRequest.Answer))
    return number == pb.AnswerDisputeRequest.ANSWER_ACCEPT


def policy(check: Violations, asked: pb.DisputePolicy, path: str) -> DisputePolicy:
    """How disputes are to go."""
    reasons: list[Reason] = []
    for place, number in enumerate(asked.held_out_reasons):
        reason = _reason(check, f"{path}.held_out_reasons[{place}]", number)
        if reason in reasons:
            check.say(f"{path}.held_out_reasons[{place}]", "stands there twice")
        reasons.append(reason)
    return DisputePolicy(
        answer_days=check.within(f"{path}.answer_days", asked.answer_days, 1, DAYS_MAX),
        decision_days=check.within(f"{path}.decision_days", asked.decision_days, 1, DAYS_MAX),
        claim_days=check.within(f"{path}.claim_days", asked.claim_days, 1, CLAIM_DAYS_MAX),
        unanswered=_verdict(check, f"{path}.unanswered", asked.unanswered),
        undecided=_verdict(check, f"{path}.undecided", asked.undecided),
        held_out=tuple(reasons),
        owner=check.text(f"{path}.owner", asked.owner, 1, OWNER_MAX),
    )


def decision(check: Violations, asked: pb.DisputeDecision, path: str) -> DisputeDecision:
    """What finance is to decide."""
    return DisputeDecision(
        dispute_id(check, f"{path}.dispute", asked.dispute),
        check.within(f"{path}.upheld_minor_units", asked.upheld_minor_units, 0, MINOR_UNITS_MAX),
    )


def agreed(check: Violations, asked: pb.AgreedAdjustment, path: str) -> AgreedAdjustment:
    """What somebody is to owe beside what transfers say."""
    debtor = check.resource_name(f"{path}.debtor", asked.debtor, "merchants")
    creditor = check.resource_name(f"{path}.creditor", asked.creditor, "merchants")
    if debtor and debtor == creditor:
        check.say(f"{path}.creditor", "is the debtor")
    return AgreedAdjustment(
        debtor=debtor,
        creditor=creditor,
        currency=_currency(check, f"{path}.currency_code", asked.currency_code),
        minor_units=check.positive(f"{path}.minor_units", asked.minor_units, MINOR_UNITS_MAX),
        evidence=check.text(f"{path}.evidence", asked.evidence, 1, EVIDENCE_MAX),
        transfer=UUID(check.uuid_name(f"{path}.transfer", asked.transfer, "transfers")) if asked.transfer else None,
    )


def _currency(check: Violations, path: str, code: str) -> str:
    if code not in MINOR_EXPONENT:
        check.say(path, "is no ISO 4217 currency" if code else "is required")
    return code


def _reason(check: Violations, path: str, number: int) -> Reason:
    return REASON_OF[check.known(path, number, known_numbers(pb.DisputeReason))]


def _verdict(check: Violations, path: str, number: int) -> Verdict:
    return VERDICT_OF[check.known(path, number, known_numbers(pb.DisputeVerdict))]


def message(dispute: Dispute) -> pb.Dispute:
    """A dispute on the wire."""
    owed, last = dispute.obligation, dispute.steps[-1]
    return pb.Dispute(
        name=dispute.name,
        transfer=f"transfers/{owed.transfer}",
        window=f"windows/{dispute.window_no}",
        debtor=wire.merchant_name(owed.debtor),
        creditor=wire.merchant_name(owed.creditor),
        currency_code=owed.currency,
        minor_units=dispute.minor_units,
        claimant=wire.merchant_name(dispute.claimant),
        respondent=wire.merchant_name(dispute.respondent),
        reason=REASONS[dispute.reason],
        statement=dispute.statement,
        evidence=dispute.evidence,
        treatment=TREATMENTS[dispute.treatment],
        state=STATES[dispute.state],
        owner=dispute.owner,
        due_time=timestamp(dispute.due),
        upheld_minor_units=last.upheld or 0,
        release_window=f"windows/{last.release_window}" if last.release_window else "",
        steps=map(_step, dispute.steps),
    )


def _step(step: Step) -> pb.DisputeStep:
    return pb.DisputeStep(
        state=STATES[step.to_state],
        cause=CAUSES[step.cause],
        time=timestamp(step.at),
        actor=step.actor,
        person=step.person or "",
        note=step.note,
        evidence=step.evidence,
        proposal=f"proposals/{step.proposal}" if step.proposal else "",
    )


def adjustment_message(one: Adjustment) -> pb.Adjustment:
    """An adjustment on the wire."""
    return pb.Adjustment(
        name=one.name,
        window=f"windows/{one.window_no}",
        debtor=wire.merchant_name(one.debtor),
        creditor=wire.merchant_name(one.creditor),
        currency_code=one.currency,
        minor_units=one.minor_units,
        cause=ADJUSTMENT_CAUSES[one.cause],
        dispute=f"disputes/{one.dispute_id}" if one.dispute_id else "",
        proposal=f"proposals/{one.proposal_id}" if one.proposal_id else "",
        transfer=f"transfers/{one.transfer_id}" if one.transfer_id else "",
        create_time=timestamp(one.at),
    )


def write(proposal: settlement.Proposal, content: DisputePolicy | DisputeDecision | AgreedAdjustment) -> None:
    """Put a document about disputes into its proposal."""
    match content:
        case DisputePolicy():
            proposal.dispute_policy.CopyFrom(_policy_message(content))
        case DisputeDecision(dispute, upheld):
            decision = pb.DisputeDecision(dispute=f"disputes/{dispute}", upheld_minor_units=upheld)
            proposal.dispute_decision.CopyFrom(decision)
        case AgreedAdjustment():
            proposal.adjustment.CopyFrom(_agreed_message(content))


def _policy_message(policy: DisputePolicy) -> pb.DisputePolicy:
    return pb.DisputePolicy(
        answer_days=policy.answer_days,
        decision_days=policy.decision_days,
        claim_days=policy.claim_days,
        unanswered=VERDICTS[policy.unanswered],
        undecided=VERDICTS[policy.undecided],
        held_out_reasons=[REASONS[reason] for reason in policy.held_out],
        owner=policy.owner,
    )


def _agreed_message(agreed: AgreedAdjustment) -> pb.AgreedAdjustment:
    return pb.AgreedAdjustment(
        debtor=wire.merchant_name(agreed.debtor),
        creditor=wire.merchant_name(agreed.creditor),
        currency_code=agreed.currency,
        minor_units=agreed.minor_units,
        evidence=agreed.evidence,
        transfer=f"transfers/{agreed.transfer}" if agreed.transfer else "",
    )
