"""What a dispute is, what a policy says of it, and what an adjustment is. Values only."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Reason(enum.StrEnum):
    """Why a debt is said not to be owed: a closed list."""

    NOT_RECOGNISED = "NOT_RECOGNISED"
    """The transfer is none of ours."""
    DUPLICATE = "DUPLICATE"
    """The same was booked before."""
    WRONG_AMOUNT = "WRONG_AMOUNT"
    """Other points were moved than agreed."""
    WRONG_PRICE = "WRONG_PRICE"
    """Another price was agreed."""
    NOT_DELIVERED = "NOT_DELIVERED"
    """What the points paid for never came."""
    FRAUD = "FRAUD"
    """Somebody moved points he may not move."""
    OTHER = "OTHER"
    """The statement says."""


class Treatment(enum.StrEnum):
    """What becomes of a disputed amount meanwhile."""

    HOLD_OUT = "HOLD_OUT"
    """It takes no part in netting until the dispute has ended."""
    SETTLE_THEN_ADJUST = "SETTLE_THEN_ADJUST"
    """It settles like any other; what the dispute wins comes back in a later window."""


class State(enum.StrEnum):
    """How far a dispute is. Which step may follow which is told by the table `settlement.dispute_steps`."""

    OPEN = "OPEN"
    """The other side has not answered."""
    CONTESTED = "CONTESTED"
    """The other side says no; finance decides."""
    UPHELD = "UPHELD"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


WAITING = frozenset({State.OPEN, State.CONTESTED})
"""Somebody still has to do something."""


class Verdict(enum.StrEnum):
    """What a deadline says that passes unused."""

    UPHELD = "UPHELD"
    REJECTED = "REJECTED"


class Cause(enum.StrEnum):
    """What brought a step about."""

    CLAIM = "CLAIM"
    ANSWER = "ANSWER"
    WITHDRAWAL = "WITHDRAWAL"
    DECISION = "DECISION"
    DEADLINE = "DEADLINE"
    REVERSAL = "REVERSAL"
    """Reversals gave back what was claimed, so nothing is left to win."""


@dataclass(frozen=True, slots=True)
class DisputePolicy:
    """How disputes go, until another policy holds; one that was opened keeps the policy it was opened under.

    Attributes:
        answer_days: how long the other side has to answer.
        decision_days: how long finance then has to decide.
        claim_days: until how many days after the cut-off of its window an obligation can be disputed.
        unanswered: what silence of the other side means.
        undecided: what silence of finance means.
        held_out: the reasons for which a disputed amount is held out of netting; for others it settles meanwhile.
        owner: who looks after a dispute until somebody is named.
    """

    answer_days: int = 10
    decision_days: int = 20
    claim_days: int = 90
    unanswered: Verdict = Verdict.UPHELD
    undecided: Verdict = Verdict.REJECTED
    held_out: Sequence[Reason] = tuple(Reason)
    owner: str = "finance"


@dataclass(frozen=True, slots=True)
class DisputeDecision:
    """What finance decides of a contested dispute: so much is upheld, in minor units; 0 rejects it."""

    dispute: UUID
    upheld_minor_units: int


@dataclass(frozen=True, slots=True)
class AgreedAdjustment:
    """The debtor owes the creditor so much more in the window that is open when it is agreed to, minor units.

    Attributes:
        evidence: where what proves it is kept, "invoice 4711".
        transfer: the transfer it is about; None: about none.
    """

    debtor: str
    creditor: str
    currency: str
    minor_units: int
    evidence: str
    transfer: UUID | None = None


class AdjustmentCause(enum.StrEnum):
    """Why somebody owes more than transfers say."""

    UPHELD = "UPHELD"
    """A dispute won it back."""
    OVERTAKEN = "OVERTAKEN"
    """A reversal gave back what a dispute had won, so that much is owed again."""
    AGREED = "AGREED"
    """Finance agreed to it, under four eyes."""


class Adjustment(NamedTuple):
    """An adjustment of a window; it is netted like what its transfers left owing."""

    adjustment_id: UUID
    window_no: int
    debtor: str
    creditor: str
    currency: str
    minor_units: int
    cause: AdjustmentCause
    dispute_id: UUID | None
    proposal_id: UUID | None
    transfer_id: UUID | None
    at: datetime
    actor: str
    order_no: int

    @property
    def name(self) -> str:
        """Resource name."""
        return f"settlementAdjustments/{self.adjustment_id}"


class Obligation(NamedTuple):
    """What one transfer left a debtor owing a creditor in a currency, whatever kinds it is made of."""

    transfer: UUID
    debtor: str
    creditor: str
    currency: str


class Step(NamedTuple):
    """A step of a dispute.

    Attributes:
        decision_due: of a contested one, until when finance decides.
        upheld: of one that was upheld, how much, minor units.
        release_window: of one that has ended, the window whose run nets what was held out, and any adjustment of it.
        proposal: the decision it was taken by, where finance decided.
    """

    step_no: int
    from_state: str
    to_state: State
    cause: Cause
    at: datetime
    actor: str
    person: str | None
    note: str
    evidence: str
    decision_due: datetime | None
    upheld: int | None
    release_window: int | None
    proposal: UUID | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A claim that the debtor does not owe the creditor `minor_units` of an obligation.

    Attributes:
        dispute_id: its id.
        obligation: of what.
        window_no: the window the transfer is in.
        minor_units: how much of it, whole minor units of its currency.
        claimant: who claims so: the debtor or the creditor.
        request_id: the claimant's own key.
        reason: why.
        statement: in words.
        evidence: where what proves it is kept.
        treatment: what becomes of the amount meanwhile.
        owner: who looks after it.
        answer_due: until when the other side answers.
        decision_days: how long finance then has.
        unanswered, undecided: what silence means.
        steps: everything that happened to it, oldest first.
        order_no: its place among all disputes.
    """

    dispute_id: UUID
    obligation: Obligation
    window_no: int
    minor_units: int
    claimant: str
    request_id: str
    reason: Reason
    statement: str
    evidence: str
    treatment: Treatment
    owner: str
    answer_due: datetime
    decision_days: int
    unanswered: Verdict
    undecided: Verdict
    steps: Sequence[Step]
    order_no: int

    @property
    def name(self) -> str:
        """Resource name."""
        return f"disputes/{self.dispute_id}"

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.steps[-1].to_state

    @property
    def respondent(self) -> str:
        """The other side."""
        return self.obligation.creditor if self.claimant == self.obligation.debtor else self.obligation.debtor

    @property
    def due(self) -> datetime | None:
        """Until when somebody has to act; None: it has ended."""
        if self.state not in WAITING:
            return None
        return self.steps[-1].decision_due or self.answer_due
