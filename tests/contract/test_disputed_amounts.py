"""What becomes of a disputed amount: held out until the dispute has ended, or settled first and adjusted later."""

from __future__ import annotations

from exchange.v1 import types_pb2 as types
from settlement.v1 import disputes_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement
from tests.contract.disputed import ANSWER, STATE, a_policy, adjustments, answered, held, nets, opened, withdrawn
from tests.contract.settled import Finance


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
