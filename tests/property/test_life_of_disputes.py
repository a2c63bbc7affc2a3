"""Disputes of one obligation in any order of steps, reversals and cut-offs: nothing is claimed, won or paid twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from settlement.disputes.model import (
    WAITING,
    Cause,
    Dispute,
    Obligation,
    Reason,
    State,
    Step,
    Treatment,
    Verdict,
)
from settlement.disputes.rules import End, Standing, decided, end_by, end_now, require_claimable, require_state
from settlement.refusals import ClaimExceeds, WrongState
from settlement.run.model import Adjusted, Configuration, CurrencyResult, Disputed, HeldOut
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.windows import FEN, FIRST_DAY, Total

OWED = 600
START = datetime(2026, 3, 1, tzinfo=UTC)
amounts = st.integers(1, OWED + 5)


@dataclass
class Books:
    """The window that is open, and what the closed ones came to."""

    window: int = 1
    reversed_now: int = 0
    adjustments: list[Adjusted] = field(default_factory=list)
    paid: int = 0
    last: list[CurrencyResult] = field(default_factory=list)


class Life(RuleBasedStateMachine):
    """GRO owes TEL 600 by a transfer of the first window."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.books = START, Books()
        self.disputes: list[Dispute] = []
        self.reversed = self.overtaken = 0

    @property
    def won(self) -> int:
        """What disputes have won, less what reversals have overtaken."""
        return sum(dispute.steps[-1].upheld or 0 for dispute in self.disputes) - self.overtaken

    @property
    def standing(self) -> Standing:
        """How the obligation stands."""
        asked = sum(dispute.minor_units for dispute in self.disputes if dispute.state in WAITING)
        return Standing(OWED - self.reversed, self.won, asked)

    @rule(amount=amounts, held_out=st.booleans(), unanswered=st.sampled_from(Verdict))
    def claim(self, amount: int, *, held_out: bool, unanswered: Verdict) -> None:
        """Somebody claims, as long as so much is left; after the window is final it settles first."""
        free = self.standing.owed - self.standing.won - self.standing.asked
        if amount > max(0, free):
            with pytest.raises(ClaimExceeds):
                require_claimable("transfers/7", amount, self.standing)
            return
        require_claimable("transfers/7", amount, self.standing)
        first = Step(1, "", State.OPEN, Cause.CLAIM, self.now, "GRO", None, "", "", None, None, None, None)
        treatment = Treatment.HOLD_OUT if held_out and self.books.window == 1 else Treatment.SETTLE_THEN_ADJUST
        self.disputes.append(
            Dispute(
                dispute_id=UUID(int=len(self.disputes) + 1),
                obligation=Obligation(UUID(int=7), "GRO", "TEL", "CNY"),
                window_no=1,
                minor_units=amount,
                claimant="GRO",
                request_id=str(len(self.disputes)),
                reason=Reason.OTHER,
                statement="",
                evidence="",
                treatment=treatment,
                owner="desk",
                answer_due=self.now + timedelta(days=10),
                decision_days=20,
                unanswered=unanswered,
                undecided=Verdict.REJECTED,
                steps=[first],
                order_no=len(self.disputes),
            )
        )

    @precondition(lambda self: self.disputes)
    @rule(data=st.data(), verdict=st.sampled_from(["accept", "contest", "withdraw", "decide"]), amount=amounts)
    def act(self, data: st.DataObject, verdict: str, amount: int) -> None:
        """Somebody takes a step, which its state allows or not."""
        place = data.draw(st.integers(0, len(self.disputes) - 1))
        dispute = self.disputes[place]
        needed = {"decide": {State.CONTESTED}, "withdraw": WAITING}.get(verdict, {State.OPEN})
        if dispute.state not in needed:
            with pytest.raises(WrongState):
                require_state(dispute, needed)
        elif verdict == "contest":
            due = self.now + timedelta(days=dispute.decision_days)
            step = dispute.steps[0]._replace(step_no=2, to_state=State.CONTESTED, at=self.now, decision_due=due)
            self.disputes[place] = replace(dispute, steps=[*dispute.steps, step])
        elif verdict == "accept":
            self._end(place, end_by(Cause.ANSWER, Verdict.UPHELD, dispute.minor_units, self.standing))
        elif verdict == "withdraw":
            self._end(place, End(State.WITHDRAWN, 0, Cause.WITHDRAWAL))
        elif amount > min(dispute.minor_units, self.standing.to_win):
            with pytest.raises(ClaimExceeds):
                decided(dispute, amount, self.standing)
        else:
            self._end(place, decided(dispute, amount, self.standing))

    @rule(days=st.integers(1, 15))
    def days_pass(self, days: int) -> None:
        """Deadlines end what nobody acted on; so do reversals that left nothing."""
        self.now += timedelta(days=days)
        for place, dispute in enumerate(self.disputes):
            end = end_now(dispute, self.now, self.standing)
            if end is not None:
                self._end(place, end)

    @rule(amount=amounts)
    def reverse(self, amount: int) -> None:
        """Some of the transfer is turned back, whatever is disputed of it."""
        amount = min(amount, OWED - self.reversed)
        assume(amount)
        self.reversed += amount
        self.books.reversed_now += amount

    @rule()
    def cut_off(self) -> None:
        """The window is closed and netted; what its reversals overtook is owed again."""
        books = self.books
        excess = self.won - (OWED - self.reversed)
        if excess > 0:
            self.overtaken += excess
            books.adjustments.append(Adjusted(f"o{books.window}", "GRO", "TEL", "CNY", excess, "overtaken"))
        totals = [Total("CNY", "GRO", "TEL", OWED * FEN)] if books.window == 1 else []
        if books.reversed_now:
            totals.append(Total("CNY", "TEL", "GRO", books.reversed_now * FEN))
        configuration = Configuration(disputed=Disputed(self._held_out(), self._released(), tuple(books.adjustments)))
        day = FIRST_DAY + timedelta(weeks=books.window)
        books.last = calculate(Inputs(books.window, day, totals, books.last, configuration, "OPR"))
        for one in books.last:
            books.paid += sum(p.amount for p in one.payments if p.payer == "GRO")
            books.paid -= sum(p.amount for p in one.payments if p.payee == "GRO")
        self.books = Books(books.window + 1, paid=books.paid, last=books.last)
        held = sum(item.amount for one in books.last for item in one.held_items)
        assert held == sum(
            dispute.minor_units
            for dispute in self.disputes
            if dispute.treatment is Treatment.HOLD_OUT and dispute.state in WAITING
        )
        # All that GRO paid and is held for is what it owed, less what came back one way or the other, once.
        assert books.paid + held == OWED - self.reversed - self.won
        assert books.paid + held >= 0

    @invariant()
    def nothing_is_claimed_or_won_twice(self) -> None:
        """What was won, and not overtaken since, is never more than there was."""
        assert 0 <= self.won <= OWED
        for dispute in self.disputes:
            assert (dispute.steps[-1].upheld or 0) <= dispute.minor_units
            assert (dispute.due is None) == (dispute.state not in WAITING)

    def _end(self, place: int, end: End) -> None:
        dispute, window = self.disputes[place], self.books.window
        upheld = end.upheld if end.state is State.UPHELD else None
        step = dispute.steps[-1]._replace(
            step_no=len(dispute.steps) + 1,
            to_state=end.state,
            cause=end.cause,
            at=self.now,
            decision_due=None,
            upheld=upheld,
            release_window=window,
        )
        self.disputes[place] = replace(dispute, steps=[*dispute.steps, step])
        if upheld:
            self.books.adjustments.append(Adjusted(f"u{place}", "TEL", "GRO", "CNY", upheld, "upheld"))

    def _held_out(self) -> tuple[HeldOut, ...]:
        return tuple(
            HeldOut(str(dispute.dispute_id), "GRO", "TEL", "CNY", dispute.minor_units)
            for dispute in self.disputes
            if self.books.window == 1 and dispute.treatment is Treatment.HOLD_OUT and dispute.state in WAITING
        )

    def _released(self) -> tuple[str, ...]:
        return tuple(
            str(dispute.dispute_id)
            for dispute in self.disputes
            if dispute.treatment is Treatment.HOLD_OUT and dispute.steps[-1].release_window == self.books.window > 1
        )


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
