"""The life of a run: its states, every step with who took it and why, and what the checkers said."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class RunState(enum.StrEnum):
    """How far a run is. Which step may follow which is told by the table `settlement.run_steps`, and held by it."""

    CALCULATED = "CALCULATED"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    VOIDED = "VOIDED"
    CANCELLED = "CANCELLED"
    INSTRUCTED = "INSTRUCTED"
    PARTIALLY_SETTLED = "PARTIALLY_SETTLED"
    SETTLED = "SETTLED"


DEAD = frozenset({RunState.REJECTED, RunState.VOIDED, RunState.CANCELLED})
"""A run in one of these is for the record; its window waits for another."""
PREVIEW = frozenset({RunState.CALCULATED})
"""A run that nobody has put his name to yet gives way without being asked."""
CANCELLABLE = frozenset({RunState.CALCULATED, RunState.SUBMITTED, RunState.APPROVED})
"""Nothing was instructed yet."""
INSTRUCTED = frozenset({RunState.INSTRUCTED, RunState.PARTIALLY_SETTLED, RunState.SETTLED})
"""Money is on its way or has arrived: this run is what its window settles to, for ever."""


class Transition(NamedTuple):
    """A step that was taken. `checkers_needed`: how many must approve, said when the run is submitted."""

    step_no: int
    from_state: str
    to_state: str
    at: datetime
    actor: str
    person: str | None
    reason: str
    checkers_needed: int | None


class Decision(NamedTuple):
    """What one checker said of the result with this digest; `verdict` is APPROVED or REJECTED."""

    person: str
    verdict: str
    digest: str
    at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that happened to a run, in order."""

    transitions: Sequence[Transition]
    decisions: Sequence[Decision] = ()

    @property
    def state(self) -> RunState:
        """Where it stands."""
        return RunState(self.transitions[-1].to_state)

    @property
    def submission(self) -> Transition | None:
        """The step that asked for approval; None: nobody did."""
        return next((step for step in self.transitions if step.to_state == RunState.SUBMITTED), None)

    @property
    def checkers_needed(self) -> int:
        """How many must approve; 0 before anybody asked."""
        return (self.submission.checkers_needed or 0) if self.submission else 0

    @property
    def approvals(self) -> list[Decision]:
        """Who said yes."""
        return [decision for decision in self.decisions if decision.verdict == RunState.APPROVED]

    def by(self, person: str) -> Decision | None:
        """What a person said; None: nothing."""
        return next((decision for decision in self.decisions if decision.person == person), None)

    def etag(self, run_id: UUID) -> str:
        """A mark of what has happened so far: whoever shows another has not seen all of it."""
        seen = f"{run_id} {len(self.transitions)} {len(self.decisions)}"
        return hashlib.sha256(seen.encode()).hexdigest()[:16]
