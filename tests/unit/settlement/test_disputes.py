"""What is decided of disputes, and what they make of a window: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from settlement.disputes.model import (
    Cause,
    Dispute,
    DisputePolicy,
    Obligation,
    Reason,
    State,
    Step,
    Treatment,
    Verdict,
)
from settlement.disputes.rules import Standing, decided, end_by, end_now, require_period, treatment_of
from settlement.refusals import DisputePeriodOver
from settlement.run.canonical import canonical, configuration_of, parsed, written
from settlement.run.legal import BY_MODE
from settlement.run.model import Adjusted, Configuration, Disputed, HeldOut
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.windows import FIRST_DAY, items, owes, payments, window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRANSFER = UUID(int=7)
ALL_LEFT = Standing(owed=600, won=0, asked=250)
NOTHING_LEFT = Standing(owed=0, won=0, asked=250)


def a_dispute(state: State = State.OPEN, unanswered: Verdict = Verdict.UPHELD) -> Dispute:
    """GRO says that it does not owe TEL 250 of a transfer; due at noon."""
    step = Step(1, "", State.OPEN, Cause.CLAIM, NOON, "MERCHANT:k", None, "", "", None, None, None, None)
    steps = [step]
    if state is State.CONTESTED:
        steps.append(step._replace(step_no=2, to_state=state, cause=Cause.ANSWER, decision_due=NOON))
    elif state is not State.OPEN:
        steps.append(step._replace(step_no=2, to_state=state, cause=Cause.ANSWER, release_window=1))
    return Dispute(
        dispute_id=UUID(int=1),
        obligation=Obligation(TRANSFER, "GRO", "TEL", "CNY"),
        window_no=1,
        minor_units=250,
        claimant="GRO",
        request_id="k",
        reason=Reason.DUPLICATE,
        statement="",
        evidence="",
        treatment=Treatment.HOLD_OUT,
        owner="desk",
        answer_due=NOON,
        decision_days=20,
        unanswered=unanswered,
        undecided=Verdict.REJECTED,
        steps=steps,
        order_no=1,
    )


def held_out(amount: int, dispute: str = "d1") -> HeldOut:
    """Of what GRO owes TEL."""
    return HeldOut(dispute, "GRO", "TEL", "CNY", amount)


def adjusted(amount: int) -> Adjusted:
    """TEL owes GRO so much back."""
    return Adjusted("a1", "TEL", "GRO", "CNY", amount, "upheld", "d1", str(TRANSFER))


@pytest.mark.parametrize(
    ("state", "unanswered", "ends"),
    [
        (State.OPEN, Verdict.UPHELD, State.UPHELD),
        (State.OPEN, Verdict.REJECTED, State.REJECTED),
        (State.CONTESTED, Verdict.UPHELD, State.REJECTED),
    ],
)
def test_silence_means_what_the_policy_says(state: State, unanswered: Verdict, ends: State) -> None:
    """Of the respondent one thing, of finance another; at the very instant, and not before."""
    dispute = a_dispute(state, unanswered)

    assert end_now(dispute, NOON - timedelta(microseconds=1), ALL_LEFT) is None
    end = end_now(dispute, NOON, ALL_LEFT)
    assert end is not None
    assert (end.state, end.cause) == (ends, Cause.DEADLINE)


@pytest.mark.parametrize("state", [State.UPHELD, State.REJECTED, State.WITHDRAWN])
def test_what_has_ended_has_no_deadline(state: State) -> None:
    """Years later."""
    assert end_now(a_dispute(state), NOON + timedelta(days=999), NOTHING_LEFT) is None


def test_a_claim_wins_what_is_left_and_no_more() -> None:
    """Of 250 claimed what reversals and other disputes have left; of nothing, nothing, and it says why."""
    assert end_by(Cause.ANSWER, Verdict.UPHELD, 250, ALL_LEFT) == (State.UPHELD, 250, Cause.ANSWER)
    assert end_by(Cause.ANSWER, Verdict.UPHELD, 250, Standing(600, 500, 250)) == (State.UPHELD, 100, Cause.ANSWER)
    assert end_by(Cause.ANSWER, Verdict.UPHELD, 250, NOTHING_LEFT) == (State.REJECTED, 0, Cause.REVERSAL)
    assert end_now(a_dispute(), NOON - timedelta(days=1), NOTHING_LEFT) == (State.REJECTED, 0, Cause.REVERSAL)


def test_a_decision_of_nothing_rejects() -> None:
    """Whatever is left."""
    assert decided(a_dispute(State.CONTESTED), 0, NOTHING_LEFT) == (State.REJECTED, 0, Cause.DECISION)


def test_a_final_window_is_never_held_up() -> None:
    """Whatever the policy says of the reason."""
    policy = DisputePolicy(held_out=(Reason.FRAUD,))

    assert treatment_of(Reason.FRAUD, policy, is_final=False) is Treatment.HOLD_OUT
    assert treatment_of(Reason.FRAUD, policy, is_final=True) is Treatment.SETTLE_THEN_ADJUST
    assert treatment_of(Reason.OTHER, policy, is_final=False) is Treatment.SETTLE_THEN_ADJUST


def test_the_period_ends_at_an_instant() -> None:
    """Days after the cut-off; an open window's has not begun."""
    policy = DisputePolicy(claim_days=2)
    last = NOON + timedelta(days=2)

    require_period("t", None, NOON + timedelta(days=999), policy)
    require_period("t", NOON, last - timedelta(microseconds=1), policy)
    with pytest.raises(DisputePeriodOver):
        require_period("t", NOON, last, policy)


def test_what_is_disputed_takes_no_part_in_netting() -> None:
    """It is shown as held, with its dispute; the rest is netted."""
    (one,) = window(1, owes("GRO owes TEL 600"), disputed=Disputed((held_out(250), held_out(50, "d2"))))

    assert payments(one) == {"GRO>OPR": 300, "OPR>TEL": 300}
    assert items(one.held_items) == ["GRO owes TEL 50 since 1", "GRO owes TEL 250 since 1"]
    assert [(item.because, item.dispute) for item in one.held_items] == [("disputed", "d2"), ("disputed", "d1")]
    assert (one.gross, one.held, one.pairs[0].held) == (600, 300, 300)


def test_a_held_item_stays_until_its_own_dispute_is_released() -> None:
    """And comes in with the age it has."""
    (first,) = window(1, owes("GRO owes TEL 600"), disputed=Disputed((held_out(250),)))
    (second,) = window(2, before=[first], disputed=Disputed(released=("d2",)))
    (third,) = window(3, before=[second], disputed=Disputed(released=("d1",)))

    assert (payments(second), items(second.held_items)) == ({}, ["GRO owes TEL 250 since 1"])
    assert (payments(third), list(third.held_items)) == ({"GRO>OPR": 250, "OPR>TEL": 250}, [])


@pytest.mark.parametrize("mode", ["multilateral", "bilateral", "direct", "setoff"])
def test_what_was_won_and_what_was_held_cancel_out(mode: str) -> None:
    """Nobody pays anything; both are shown."""
    how: dict[str, Any] = {"mode": mode, "legal_model": BY_MODE[mode]}
    (first,) = window(1, owes("GRO owes TEL 250"), disputed=Disputed((held_out(250),)), **how)
    (second,) = window(2, before=[first], disputed=Disputed(released=("d1",), adjustments=(adjusted(250),)), **how)

    assert (second.gross, second.paid, payments(second)) == (500, 0, {})
    assert [(pair.debtor, pair.held_in, pair.adjusted) for pair in second.pairs] == [("GRO", 250, 0), ("TEL", 0, 250)]


def test_an_adjustment_alone_is_netted() -> None:
    """In a window in which nothing else happened, and in a currency of its own."""
    (one,) = window(1, disputed=Disputed(adjustments=(adjusted(75),)))

    assert (one.currency, one.obligations, payments(one)) == ("CNY", 0, {"TEL>OPR": 75, "OPR>GRO": 75})


def test_a_party_that_is_excluded_keeps_an_item_held_when_the_dispute_is_over() -> None:
    """Then for its sake; the adjustment is held as well, so what was won is not lost."""
    (first,) = window(1, owes("GRO owes TEL 250"), disputed=Disputed((held_out(250),)))
    over = Disputed(released=("d1",), adjustments=(adjusted(250),))
    (second,) = window(2, before=[first], disputed=over, excluded=("TEL",))
    (third,) = window(3, before=[second], released=("TEL",))

    assert payments(second) == {}
    assert [(item.debtor, item.because, item.parties, item.dispute) for item in second.held_items] == [
        ("GRO", "excluded", ("TEL",), ""),
        ("TEL", "excluded", ("TEL",), ""),
    ]
    assert (payments(third), list(third.held_items), third.gross) == ({}, [], 500)


def test_a_release_of_a_party_does_not_end_a_dispute() -> None:
    """The item waits for both."""
    (first,) = window(1, owes("GRO owes TEL 250"), disputed=Disputed((held_out(250),)), excluded=("TEL",))
    (second,) = window(2, before=[first], released=("TEL",))
    (third,) = window(3, before=[second], disputed=Disputed(released=("d1",)))

    assert [(item.because, item.parties) for item in first.held_items] == [("disputed", ("TEL",))]
    assert [(item.because, item.parties) for item in second.held_items] == [("disputed", ())]
    assert payments(third) == {"GRO>OPR": 250, "OPR>TEL": 250}


def test_disputes_are_part_of_a_results_digest_and_are_read_back() -> None:
    """Without any the bytes are those of before there were disputes."""
    disputed = Disputed((held_out(250),), ("d0",), (adjusted(75),))
    configuration = Configuration(disputed=disputed)
    totals = [owes("GRO owes TEL 600")]
    inputs = Inputs(1, FIRST_DAY, totals, (), configuration, "OPR")
    plain = Inputs(1, FIRST_DAY, totals, (), Configuration(), "OPR")

    document = canonical(inputs, None, calculate(inputs))
    undisputed = canonical(plain, None, calculate(plain)).decode()

    assert configuration_of(written(configuration)) == configuration
    assert canonical(inputs, None, parsed(document.decode(), FIRST_DAY)) == document
    assert not any(word in undisputed for word in ("dispute", "adjust", "held_out"))
