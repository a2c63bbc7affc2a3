"""Disputes: one side claims, the other answers, finance decides; each takes its own steps, once."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.disputed import (
    ANSWER,
    STATE,
    a_claim,
    a_decision,
    a_policy,
    answered,
    decided,
    nets,
    opened,
    read,
    withdrawn,
)
from tests.contract.refusals import refusal
from tests.contract.settled import Finance
from tests.contract.stillness import nothing_changes
from tests.movements import a_reversal
from tests.servers import Server


async def test_a_dispute_tells_what_is_claimed_and_who_acts_until_when(finance: Finance, award: types.Transfer) -> None:
    """All of it can be read by both sides and by finance."""
    await finance.agree(a_policy())
    dispute = await opened(finance, finance.cast.gro, award, 250)

    assert (dispute.transfer, dispute.window) == (award.name, "windows/1")
    assert (dispute.debtor, dispute.creditor) == ("merchants/GRO", "merchants/TEL")
    assert (dispute.claimant, dispute.respondent) == ("merchants/GRO", "merchants/TEL")
    assert (dispute.currency_code, dispute.minor_units) == ("CNY", 250)
    assert (dispute.reason, dispute.statement) == (pb.DISPUTE_REASON_WRONG_AMOUNT, "less was agreed")
    assert (dispute.evidence, dispute.owner) == ("mail of 3 March", "desk")
    assert (dispute.state, dispute.treatment) == (STATE.STATE_OPEN, pb.DISPUTE_TREATMENT_HOLD_OUT)
    assert dispute.due_time.ToDatetime() - dispute.steps[0].time.ToDatetime() == timedelta(days=10)
    for reader in (finance.cast.gro, finance.cast.tel, finance.maker, finance.checker, finance.cast.world.operator):
        assert await read(finance, dispute, reader) == dispute


async def test_finance_decides_what_is_contested_by_two_persons(finance: Finance, award: types.Transfer) -> None:
    """A part of the claim is upheld: the held rest is owed again, and so much goes back."""
    dispute = await opened(finance, finance.cast.gro, award, 250)
    contested = await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_CONTEST)
    await finance.close("windows/1")
    await finance.start("windows/1")
    proposed = await finance.propose(a_decision(dispute, 150))
    waiting = await read(finance, dispute)
    await finance.approve_proposal(proposed)
    ended = await read(finance, dispute)
    await finance.close("windows/2")

    assert (contested.state, waiting.state) == (STATE.STATE_CONTESTED, STATE.STATE_CONTESTED)
    assert contested.due_time.ToDatetime() - contested.steps[1].time.ToDatetime() == timedelta(days=20)
    assert (ended.state, ended.upheld_minor_units, ended.steps[-1].proposal) == (
        STATE.STATE_UPHELD,
        150,
        proposed.name,
    )
    assert ended.steps[-1].person != proposed.proposed.person
    assert await nets(finance, (await finance.start("windows/2")).run) == {"GRO": -100, "TEL": 100}


async def test_finance_can_reject_a_claim(finance: Finance, award: types.Transfer) -> None:
    """All of it is owed: it is netted, and nothing is adjusted."""
    dispute = await opened(finance, finance.cast.gro, award, 250)
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_CONTEST)
    ended = await decided(finance, dispute, 0)
    await finance.close("windows/1")

    assert (ended.state, ended.upheld_minor_units) == (STATE.STATE_REJECTED, 0)
    assert await nets(finance, (await finance.start("windows/1")).run) == {"GRO": -600, "TEL": 600}


async def test_a_claim_is_the_same_under_the_same_key(finance: Finance, award: types.Transfer) -> None:
    """Another claim under it is refused; another claimant's key is another key."""
    gro, stub = finance.cast.gro, finance.stub
    first = await gro.ask(stub.OpenDispute, a_claim(award, 100, "k"))
    again = await gro.ask(stub.OpenDispute, a_claim(award, 100, "k"))
    other = await refusal(gro.ask(stub.OpenDispute, a_claim(award, 101, "k")))
    others = await finance.cast.tel.ask(stub.OpenDispute, a_claim(award, 101, "k"))

    assert (first.replayed, again.replayed, again.dispute) == (False, True, first.dispute)
    assert (other.reason, other.metadata) == ("REQUEST_ID_REUSED", {"request_id": "k"})
    assert others.dispute.claimant == "merchants/TEL"


async def test_steps_taken_again_answer_what_they_did(finance: Finance, award: types.Transfer) -> None:
    """Answers, withdrawals, owners: the second time is harmless, and told."""
    gro, tel, stub = finance.cast.gro, finance.cast.tel, finance.stub
    dispute = await opened(finance, gro, award, 100)
    assign = pb.AssignDisputeRequest(name=dispute.name, owner="ann")
    no = pb.AnswerDisputeRequest(name=dispute.name, answer=ANSWER.ANSWER_CONTEST, statement="no")
    back = pb.WithdrawDisputeRequest(name=dispute.name)

    answers = [
        await caller.ask(method, request)
        for caller, method, request in (
            (finance.maker, stub.AssignDispute, assign),
            (tel, stub.AnswerDispute, no),
            (gro, stub.WithdrawDispute, back),
        )
        for _ in range(2)
    ]

    assert [answer.replayed for answer in answers] == [False, True] * 3
    assert [answer.dispute.owner for answer in answers] == ["ann"] * 6
    assert answers[2].dispute == answers[3].dispute


@pytest.mark.provokes("WRONG_PARTY")
async def test_each_side_takes_its_own_steps(finance: Finance, own_server: Server, award: types.Transfer) -> None:
    """Nobody accepts his own claim, nobody withdraws the other's."""
    dispute = await opened(finance, finance.cast.gro, award, 100)
    accept = pb.AnswerDisputeRequest(name=dispute.name, answer=ANSWER.ANSWER_ACCEPT)

    async with nothing_changes(own_server):
        own = await refusal(finance.cast.gro.ask(finance.stub.AnswerDispute, accept))
        others = await refusal(withdrawn(finance, finance.cast.tel, dispute))

    assert (own.reason, own.metadata) == ("WRONG_PARTY", {"resource": dispute.name, "needed": "merchants/TEL"})
    assert (others.reason, others.metadata["needed"]) == ("WRONG_PARTY", "merchants/GRO")


@pytest.mark.provokes("WRONG_STATE")
async def test_what_has_ended_stays_ended(finance: Finance, own_server: Server, award: types.Transfer) -> None:
    """No second answer, no withdrawal, no owner, no decision; and an open one is not decided before it is answered."""
    gro, tel = finance.cast.gro, finance.cast.tel
    dispute = await opened(finance, gro, award, 100)
    early = await refusal(finance.propose(a_decision(dispute, 50)))
    await answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT)
    assign = pb.AssignDisputeRequest(name=dispute.name, owner="ann")

    async with nothing_changes(own_server):
        refused = [
            await refusal(answered(finance, tel, dispute, ANSWER.ANSWER_CONTEST)),
            await refusal(withdrawn(finance, gro, dispute)),
            await refusal(finance.maker.ask(finance.stub.AssignDispute, assign)),
            await refusal(finance.propose(a_decision(dispute, 50))),
        ]

    assert (early.reason, early.metadata["state"]) == ("WRONG_STATE", "OPEN")
    assert {(no.reason, no.metadata["state"]) for no in refused} == {("WRONG_STATE", "UPHELD")}


async def test_a_decision_that_came_too_late_changes_nothing(finance: Finance, award: types.Transfer) -> None:
    """The dispute was withdrawn, or a reversal left less, between the maker's word and the checker's."""
    gro, tel = finance.cast.gro, finance.cast.tel
    gone, less = await opened(finance, gro, award, 100), await opened(finance, gro, award, 500)
    for dispute in (gone, less):
        await answered(finance, tel, dispute, ANSWER.ANSWER_CONTEST)
    first, second = await finance.propose(a_decision(gone, 100)), await finance.propose(a_decision(less, 500))
    await withdrawn(finance, gro, gone)
    await gro.post(a_reversal(award, units=200))

    late = await refusal(finance.approve_proposal(first))
    over = await refusal(finance.approve_proposal(second))

    assert (late.reason, late.metadata["resource"]) == ("WRONG_STATE", gone.name)
    assert (over.reason, over.metadata) == (
        "CLAIM_EXCEEDS",
        {"resource": less.name, "left": "360", "requested": "500"},
    )
    assert (await read(finance, less)).state == STATE.STATE_CONTESTED


@pytest.mark.provokes("DISPUTE_PERIOD_OVER")
async def test_what_was_cut_off_long_ago_is_not_disputed(finance: Finance, award: types.Transfer) -> None:
    """Thirty days after the cut-off by the coalition's calendar, and no sooner."""
    await finance.agree(a_policy(claim_days=30))
    await finance.close("windows/1")
    request = settlement.GetWindowRequest(name="windows/1")
    closed = (await finance.maker.ask(finance.stub.GetWindow, request)).window.close_time
    until = closed.ToDatetime(tzinfo=UTC) + timedelta(days=30)
    await finance.cast.world.set_clock(until - timedelta(seconds=30))
    await opened(finance, finance.cast.gro, award, 100)
    await finance.cast.world.set_clock(until)

    refused = await refusal(opened(finance, finance.cast.gro, award, 100))

    assert (refused.reason, refused.metadata) == (
        "DISPUTE_PERIOD_OVER",
        {"resource": award.name, "until": until.isoformat()},
    )


async def test_an_owner_is_named_by_somebody_with_a_name(finance: Finance, award: types.Transfer) -> None:
    """A credential without a holder names nobody."""
    dispute = await opened(finance, finance.cast.gro, award, 100)
    nameless = await finance.cast.world.party(directory.CALLER_ROLE_FINANCE_MAKER, holder="")
    request = pb.AssignDisputeRequest(name=dispute.name, owner="ann")

    refused = await refusal(nameless.ask(finance.stub.AssignDispute, request))

    assert refused.reason == "PERSON_UNKNOWN"


async def test_the_operator_is_a_side_like_any_other(finance: Finance) -> None:
    """A fee is owed to it: it answers for itself."""
    member = await finance.cast.member("6 000 BNK")
    converted = (await finance.cast.bnk.convert(member, "3 000 BNK", "AIR")).transfer
    (fee, *_) = [owed for owed in converted.obligations if owed.creditor == "merchants/OPR"]
    dispute = await opened(finance, finance.cast.bnk, converted, 1, creditor=fee.creditor, debtor=fee.debtor)

    ended = await answered(finance, finance.cast.world.operator, dispute, ANSWER.ANSWER_ACCEPT)

    assert (ended.state, ended.respondent) == (STATE.STATE_UPHELD, "merchants/OPR")
