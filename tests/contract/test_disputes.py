"""Disputes: one side claims, the other answers, finance decides; what is won comes back, and nothing twice."""

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
    adjustments,
    an_adjustment,
    answered,
    decided,
    held,
    listed,
    nets,
    opened,
    read,
    withdrawn,
)
from tests.contract.refusals import refusal
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import nothing_changes
from tests.movements import a_reversal
from tests.servers import Server
from tests.worlds import World

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition in which nothing has moved."""
    return await finance_of(own_world)


@pytest.fixture
async def award(finance: Finance) -> types.Transfer:
    """500 TEL from GRO, for which it owes TEL ¥6.00; the window is open."""
    transfer: types.Transfer = (await finance.cast.gro.earn(finance.member, "500 TEL")).transfer
    return transfer


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


async def test_what_is_disputed_is_held_out_until_the_dispute_has_ended(
    finance: Finance, award: types.Transfer
) -> None:
    """¥2.50 of ¥6.00 wait; withdrawn, they are netted with the window that is open then."""
    dispute = await opened(finance, finance.cast.gro, award, 250)
    await finance.close("windows/1")
    first = (await finance.start("windows/1")).run
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run
    ended = await withdrawn(finance, finance.cast.gro, dispute)
    await finance.close("windows/3")
    third = (await finance.start("windows/3")).run

    assert await nets(finance, first) == {"GRO": -350, "TEL": 350}
    assert [await held(finance, run) for run in (first, second, third)] == [[(dispute.name, 250)]] * 2 + [[]]
    assert [run.summaries[0].held_minor_units for run in (first, second, third)] == [250, 250, 0]
    assert await nets(finance, second) == {}
    assert (ended.state, ended.release_window, ended.HasField("due_time")) == (
        STATE.STATE_WITHDRAWN,
        "windows/3",
        False,
    )
    assert await nets(finance, third) == {"GRO": -250, "TEL": 250}
    assert await adjustments(finance, finance.maker) == []


async def test_what_the_other_side_accepts_is_not_owed(finance: Finance, award: types.Transfer) -> None:
    """What was held comes in and goes back in the same window: nobody pays it. Adjustment, dispute, transfer."""
    dispute = await opened(finance, finance.cast.gro, award, 250)
    await finance.close("windows/1")
    await finance.start("windows/1")
    ended = await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run

    (adjustment,) = await adjustments(finance, finance.cast.gro)
    (pairs,) = await finance.rows(finance.maker, second, "pairs")
    assert (ended.state, ended.upheld_minor_units) == (STATE.STATE_UPHELD, 250)
    assert [(step.state, step.cause) for step in ended.steps] == [
        (STATE.STATE_OPEN, pb.DisputeStep.CAUSE_CLAIM),
        (STATE.STATE_UPHELD, pb.DisputeStep.CAUSE_ANSWER),
    ]
    assert (adjustment.debtor, adjustment.creditor, adjustment.minor_units) == ("merchants/TEL", "merchants/GRO", 250)
    assert (adjustment.cause, adjustment.window) == (pb.Adjustment.CAUSE_UPHELD, "windows/2")
    assert (adjustment.dispute, adjustment.transfer) == (dispute.name, award.name)
    assert [(p.debtor, p.gross_minor_units, p.held_in_minor_units, p.adjusted_minor_units) for p in pairs] == [
        ("merchants/GRO", 250, 250, 0),
        ("merchants/TEL", 250, 0, 250),
    ]
    assert await nets(finance, second) == {}
    assert await finance.rows(finance.maker, second, "payments") == [[]]


async def test_what_was_settled_already_is_adjusted_later(finance: Finance, award: types.Transfer) -> None:
    """An approved run stands: the dispute does not touch it, and its window is paid as it is."""
    await finance.close("windows/1")
    run = await finance.approve(await finance.submit((await finance.start("windows/1")).run))
    dispute = await opened(finance, finance.cast.gro, award, 600)
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run

    assert dispute.treatment == pb.DISPUTE_TREATMENT_SETTLE_THEN_ADJUST
    assert (await finance.read(run)).state == settlement.Run.STATE_APPROVED
    assert await nets(finance, run) == {"GRO": -600, "TEL": 600}
    assert await nets(finance, second) == {"GRO": 600, "TEL": -600}


async def test_a_run_nobody_approved_gives_way_to_a_dispute(finance: Finance, award: types.Transfer) -> None:
    """Also one that was submitted: what its checkers would see is no longer so."""
    await finance.close("windows/1")
    submitted = await finance.submit((await finance.start("windows/1")).run)
    dispute = await opened(finance, finance.cast.gro, award, 100)

    voided = await finance.read(submitted)
    again = (await finance.start("windows/1")).run
    assert (voided.state, voided.steps[-1].reason) == (settlement.Run.STATE_VOIDED, dispute.name)
    assert again.result_digest != submitted.result_digest
    assert await nets(finance, again) == {"GRO": -500, "TEL": 500}


async def test_a_policy_lets_some_reasons_settle_first(finance: Finance, award: types.Transfer) -> None:
    """Only fraud is held out; a wrong amount is settled as it is, and comes back once it is upheld."""
    await finance.agree(a_policy(held_out_reasons=[pb.DISPUTE_REASON_FRAUD]))
    await finance.close("windows/1")
    run = (await finance.start("windows/1")).run
    wrong = await opened(finance, finance.cast.gro, award, 100)
    still = await finance.read(run)
    fraud = await opened(finance, finance.cast.gro, award, 200, reason=pb.DISPUTE_REASON_FRAUD)

    assert (wrong.treatment, still.state) == (
        pb.DISPUTE_TREATMENT_SETTLE_THEN_ADJUST,
        settlement.Run.STATE_CALCULATED,
    )
    assert fraud.treatment == pb.DISPUTE_TREATMENT_HOLD_OUT
    assert await nets(finance, (await finance.start("windows/1")).run) == {"GRO": -400, "TEL": 400}


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


@pytest.mark.provokes("CLAIM_EXCEEDS")
async def test_no_value_is_claimed_twice(finance: Finance, server: Server, award: types.Transfer) -> None:
    """Neither while a claim waits nor after it was won; a claim that was given up is free again."""
    gro, tel = finance.cast.gro, finance.cast.tel
    first = await opened(finance, gro, award, 400)
    async with nothing_changes(server):
        over = await refusal(opened(finance, gro, award, 201))
        other_side = await refusal(opened(finance, tel, award, 201))
    await answered(finance, tel, first, ANSWER.ANSWER_ACCEPT)
    after = await refusal(opened(finance, gro, award, 201))
    second = await opened(finance, gro, award, 200)
    await withdrawn(finance, gro, second)

    assert (over.reason, over.metadata) == (
        "CLAIM_EXCEEDS",
        {"resource": award.name, "left": "200", "requested": "201"},
    )
    assert (other_side.reason, after.reason) == ("CLAIM_EXCEEDS", "CLAIM_EXCEEDS")
    assert (await opened(finance, gro, award, 200)).minor_units == 200


async def test_what_a_reversal_gave_back_cannot_be_claimed(finance: Finance, award: types.Transfer) -> None:
    """Of 500 TEL 200 went back: ¥3.60 are left to claim."""
    await finance.cast.gro.post(a_reversal(award, units=200))

    over = await refusal(opened(finance, finance.cast.gro, award, 361))

    assert (over.reason, over.metadata["left"]) == ("CLAIM_EXCEEDS", "360")
    assert (await opened(finance, finance.cast.gro, award, 360)).minor_units == 360


async def test_a_dispute_wins_no_more_than_a_reversal_left(finance: Finance, award: types.Transfer) -> None:
    """¥6.00 claimed, ¥2.40 reversed meanwhile: accepted, ¥3.60 are won; both windows together leave nothing owed."""
    gro, tel = finance.cast.gro, finance.cast.tel
    dispute = await opened(finance, gro, award, 600)
    await finance.close("windows/1")
    first = (await finance.start("windows/1")).run
    await gro.post(a_reversal(award, units=200))
    ended = await answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run

    assert (ended.state, ended.upheld_minor_units) == (STATE.STATE_UPHELD, 360)
    assert (await nets(finance, first), await nets(finance, second)) == ({}, {})


async def test_a_reversal_after_a_dispute_was_won_pays_nothing_twice(finance: Finance, award: types.Transfer) -> None:
    """The member gets his way, the books tell all three: what was won, what was reversed, what is owed again."""
    gro, tel = finance.cast.gro, finance.cast.tel
    dispute = await opened(finance, gro, award, 400)
    await answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT)
    await finance.close("windows/1")
    first = (await finance.start("windows/1")).run
    await gro.post(a_reversal(award))
    await finance.close("windows/2")
    second = (await finance.start("windows/2")).run
    again = await finance.start("windows/2")

    (overtaken,) = await adjustments(finance, tel, window="windows/2")
    assert await nets(finance, first) == {"GRO": -200, "TEL": 200}
    assert (overtaken.cause, overtaken.minor_units) == (pb.Adjustment.CAUSE_OVERTAKEN, 400)
    assert (overtaken.debtor, overtaken.dispute) == ("merchants/GRO", dispute.name)
    assert await nets(finance, second) == {"GRO": 200, "TEL": -200}
    assert again.replayed


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
async def test_each_side_takes_its_own_steps(finance: Finance, server: Server, award: types.Transfer) -> None:
    """Nobody accepts his own claim, nobody withdraws the other's."""
    dispute = await opened(finance, finance.cast.gro, award, 100)
    accept = pb.AnswerDisputeRequest(name=dispute.name, answer=ANSWER.ANSWER_ACCEPT)

    async with nothing_changes(server):
        own = await refusal(finance.cast.gro.ask(finance.stub.AnswerDispute, accept))
        others = await refusal(withdrawn(finance, finance.cast.tel, dispute))

    assert (own.reason, own.metadata) == ("WRONG_PARTY", {"resource": dispute.name, "needed": "merchants/TEL"})
    assert (others.reason, others.metadata["needed"]) == ("WRONG_PARTY", "merchants/GRO")


@pytest.mark.provokes("WRONG_STATE")
async def test_what_has_ended_stays_ended(finance: Finance, server: Server, award: types.Transfer) -> None:
    """No second answer, no withdrawal, no owner, no decision; and an open one is not decided before it is answered."""
    gro, tel = finance.cast.gro, finance.cast.tel
    dispute = await opened(finance, gro, award, 100)
    early = await refusal(finance.propose(a_decision(dispute, 50)))
    await answered(finance, tel, dispute, ANSWER.ANSWER_ACCEPT)
    assign = pb.AssignDisputeRequest(name=dispute.name, owner="ann")

    async with nothing_changes(server):
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


async def test_others_cannot_tell_a_dispute_or_an_obligation_from_none(finance: Finance, award: types.Transfer) -> None:
    """Neither by name, nor in lists, nor by claiming."""
    gro, caf, stub = finance.cast.gro, finance.cast.caf, finance.stub
    dispute = await opened(finance, gro, award, 100)
    await finance.agree(an_adjustment("TEL", "GRO", 5))
    nowhere = pb.Dispute(name=f"disputes/{NOWHERE}")

    hidden, missing = [await refusal(read(finance, one, caf)) for one in (dispute, nowhere)]
    claimed = await refusal(opened(finance, caf, award, 1))
    unknown = await refusal(caf.ask(stub.OpenDispute, a_claim(award, 1, transfer=f"transfers/{NOWHERE}")))

    assert (hidden.reason, hidden.metadata["field"]) == ("RESOURCE_NOT_FOUND", "name")
    assert repr(hidden).replace(dispute.name, "D") == repr(missing).replace(nowhere.name, "D")
    assert (claimed.reason, claimed.metadata["field"]) == ("RESOURCE_NOT_FOUND", "transfer")
    assert repr(claimed).replace(award.name, "T") == repr(unknown).replace(f"transfers/{NOWHERE}", "T")
    assert (await listed(finance, caf), await adjustments(finance, caf)) == ([], [])
    assert [len(await listed(finance, one)) for one in (gro, finance.cast.tel, finance.checker)] == [1, 1, 1]


async def test_an_obligation_the_transfer_did_not_make_is_not_found(finance: Finance, award: types.Transfer) -> None:
    """The pair the other way round, another creditor, another money."""
    gro = finance.cast.gro
    turned = a_claim(award, 1, debtor="merchants/TEL", creditor="merchants/GRO")
    other = a_claim(award, 1, creditor="merchants/AIR")
    money = a_claim(award, 1, currency_code="USD")

    refused = [await refusal(gro.ask(finance.stub.OpenDispute, claim)) for claim in (turned, other, money)]

    assert {(no.reason, no.metadata["field"]) for no in refused} == {("RESOURCE_NOT_FOUND", "transfer")}


async def test_disputes_are_listed_newest_first_page_by_page(finance: Finance, award: types.Transfer) -> None:
    """All, those that wait, those of a window or of a transfer."""
    gro = finance.cast.gro
    disputes = [await opened(finance, gro, award, 10) for _ in range(3)]
    await withdrawn(finance, gro, disputes[1])
    newest_first = [dispute.name for dispute in reversed(disputes)]

    async def names(**filters: object) -> list[str]:
        return [dispute.name for dispute in await listed(finance, gro, 2, **filters)]

    assert await names() == await names(window="windows/1") == await names(transfer=award.name) == newest_first
    assert await names(waiting_only=True) == [newest_first[0], newest_first[2]]
    assert await names(window="windows/2") == await names(transfer=f"transfers/{NOWHERE}") == []


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


async def test_a_decision_gives_no_more_than_was_claimed(finance: Finance, award: types.Transfer) -> None:
    """Though more is left of the obligation."""
    dispute = await opened(finance, finance.cast.gro, award, 100)
    await answered(finance, finance.cast.tel, dispute, ANSWER.ANSWER_CONTEST)

    refused = await refusal(finance.propose(a_decision(dispute, 101)))

    assert (refused.reason, refused.metadata["left"]) == ("CLAIM_EXCEEDS", "100")


async def test_nobody_owes_himself_by_adjustment(finance: Finance) -> None:
    """The field is named."""
    refused = await refusal(finance.propose(an_adjustment("GRO", "GRO", 5)))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("proposal.adjustment.creditor",))


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
