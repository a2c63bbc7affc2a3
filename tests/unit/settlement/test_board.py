"""Whose turn it is, and what that person types, in every state a window can be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from settlement.board.model import Who, WindowFacts
from settlement.board.rules import line_of, overtaken, todo_of
from settlement.payments.model import AttemptState, Leg, LegView
from settlement.run.life import Decision, Life, RunState, Transition
from settlement.run.model import Configuration, Run
from tests.unit.settlement.settlements import CLOSED_AT, PERIOD_A, settled_window

NOW = CLOSED_AT + timedelta(days=3)
ZONE = ZoneInfo("Asia/Shanghai")
RUN = settled_window(PERIOD_A, Configuration(pay_dates={"CNY": date(2026, 4, 2)})).run


def in_state(state: RunState, reason: str = "", yes: str = "", needed: int = 1) -> Run:
    """The run of period A, brought to a state; `yes` approved it."""
    step = Transition(1, "", "SUBMITTED", CLOSED_AT, "x", "ann", "", needed)
    last = Transition(2, "SUBMITTED", state.value, CLOSED_AT, "x", "zoe", reason, None)
    decisions = [Decision(yes, "APPROVED", RUN.digest, CLOSED_AT, "x", "")] if yes else []
    return replace(RUN, life=Life([step, last], decisions))


def closed(run: Run | None, **changes: object) -> WindowFacts:
    """A closed window with a run."""
    facts = WindowFacts(3, CLOSED_AT - timedelta(days=30), CLOSED_AT, run=run)
    return replace(facts, **changes)  # type: ignore[arg-type]  # each by its own type


def leg(state: AttemptState, reason: str = "") -> LegView:
    """A payment in a state."""
    return LegView(Leg(1, "CNY", "GRO", "OPR", 700), 1, "E1", "M1", state, None, reason)


def test_an_open_window_is_nobodys_before_its_cut_off_and_a_makers_from_then_on() -> None:
    """The instant of the cut-off is due already."""
    facts = WindowFacts(4, CLOSED_AT, None, due_at=NOW)

    before, at = todo_of(facts, NOW - timedelta(seconds=1)), todo_of(facts, NOW)

    assert (before.who, before.command) == (Who.NOBODY, "")
    assert (at.who, at.command) == (Who.MAKER, "close-window 4")
    assert [line_of(facts, moment, ZONE).late for moment in (NOW - timedelta(seconds=1), NOW)] == [False, True]


@pytest.mark.parametrize(
    ("run", "who", "command"),
    [
        (None, Who.MAKER, "run 3"),
        (in_state(RunState.REJECTED, "wrong price"), Who.MAKER, "run 3"),
        (in_state(RunState.CALCULATED), Who.MAKER, f"submit 3 --digest {RUN.digest[:12]}"),
        (in_state(RunState.SUBMITTED, yes="zoe"), Who.CHECKER, f"approve 3 --digest {RUN.digest[:12]}"),
        (in_state(RunState.APPROVED, yes="zoe"), Who.PAYER, f"export 3 --digest {RUN.digest[:12]}"),
    ],
)
def test_each_state_of_a_run_has_its_person_and_command(run: Run | None, who: Who, command: str) -> None:
    """By the digest of what is there."""
    todo = todo_of(closed(run), NOW)

    assert (todo.who, todo.command) == (who, command)


def test_why_it_came_back_and_who_may_not_act_is_told() -> None:
    """The reason of a no; makers and those who said yes cannot approve; approvers cannot pay."""
    rejected = todo_of(closed(in_state(RunState.REJECTED, "wrong price")), NOW)
    waiting = todo_of(closed(in_state(RunState.SUBMITTED, yes="yan", needed=2), makers=["ann"]), NOW)
    approved = todo_of(closed(in_state(RunState.APPROVED, yes="zoe")), NOW)

    assert rejected.because == "the run before was rejected by zoe: wrong price"
    assert waiting.because == "1 of 2 said yes; not by ann, yan"
    assert approved.because == "not by zoe"


def test_a_window_waits_for_the_one_before() -> None:
    """Nobody can submit it yet."""
    todo = todo_of(closed(in_state(RunState.CALCULATED), before="submitted"), NOW)

    assert (todo.who, todo.command, todo.because) == (Who.NOBODY, "", "windows/2 is submitted, and comes first")


def test_what_came_to_nothing_is_tried_again_before_the_bank_is_waited_for() -> None:
    """One rejected among others under way; then none; then all booked."""
    run = in_state(RunState.PARTIALLY_SETTLED)
    under_way, booked = leg(AttemptState.EXPORTED), leg(AttemptState.SETTLED)

    failed = todo_of(closed(run, legs=[leg(AttemptState.REJECTED, "AC04"), under_way]), NOW)
    waiting = todo_of(closed(run, legs=[under_way, booked]), NOW)
    done = todo_of(closed(run, legs=[booked]), NOW)

    assert (failed.who, failed.command) == (Who.PAYER, "retry 3")
    assert failed.because == "came to nothing: 1, rejected AC04"
    assert (waiting.who, waiting.step) == (Who.BANK, "book")
    assert (done.who, done.step) == (Who.NOBODY, "none")


def test_a_line_counts_what_is_unpaid_and_since_when() -> None:
    """Minor units by currency; days are the coalition's; late from the day after the pay day."""
    paid = in_state(RunState.PARTIALLY_SETTLED)
    legs = [leg(AttemptState.SETTLED), leg(AttemptState.ACCEPTED)]

    before = line_of(closed(in_state(RunState.APPROVED, yes="zoe")), CLOSED_AT, ZONE)
    after = line_of(closed(paid, legs=legs), datetime(2026, 4, 2, 16, 0, tzinfo=UTC), ZONE)

    assert (before.to_pay, before.unpaid) == ({"CNY": 131_755 * 2}, {"CNY": 131_755 * 2})
    assert (before.payments, before.payments_open, before.age_days, before.late) == (5, 5, 0, False)
    assert (after.to_pay, after.unpaid, after.payments_open) == ({"CNY": 1_400}, {"CNY": 700}, 1)
    assert (after.due, after.late, after.age_days) == (date(2026, 4, 2), True, 2)


def test_a_run_that_nets_who_was_suspended_since_is_to_be_made_again() -> None:
    """While nobody's yes is final; an approved one stands."""
    calculated = closed(in_state(RunState.CALCULATED), overtaken=("GRO",))
    approved = closed(in_state(RunState.APPROVED, yes="zoe"), overtaken=("GRO",))

    todo = todo_of(calculated, NOW)
    assert (todo.who, todo.command) == (Who.MAKER, "run 3")
    assert "GRO, suspended since" in todo.because
    assert todo_of(approved, NOW).step == "export"
    assert overtaken(RUN, ["GRO", "XXX"]) == ["GRO"]


def test_what_others_stand_in_for_waits_for_nobody_or_for_what_comes_back() -> None:
    """A covered payment is done; one that is not covered is the maker's, when banks have booked the rest."""
    run = in_state(RunState.PARTIALLY_SETTLED)

    covered = closed(run, legs=[leg(AttemptState.COVERED), leg(AttemptState.SETTLED)])
    uncovered = closed(run, legs=[leg(AttemptState.UNCOVERED), leg(AttemptState.SETTLED)])
    under_way = closed(run, legs=[leg(AttemptState.UNCOVERED), leg(AttemptState.EXPORTED)])

    assert todo_of(covered, NOW).who is Who.NOBODY
    assert (todo_of(uncovered, NOW).who, todo_of(uncovered, NOW).command) == (Who.MAKER, "recover GRO 3 CNY AMOUNT")
    assert todo_of(under_way, NOW).who is Who.BANK
    assert (line_of(covered, NOW, ZONE).payments_open, line_of(uncovered, NOW, ZONE).payments_open) == (0, 1)
