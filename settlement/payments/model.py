"""What is paid: legs of a run, attempts to pay them, and the orders that instruct a bank. Values only."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from settlement.bank_details.model import BankAccount


class AttemptState(enum.StrEnum):
    """How far an attempt to pay a leg is. CREATED: it is in no file yet.

    Of a leg whose payer defaulted, whatever came of its attempts: COVERED: others stand in for all of it; UNCOVERED:
    for less than that, and what is missing is still to come back from the payer. Both are the end of it for the payer:
    nobody is asked to pay it again. BORNE: whom it is to bears all of it, because of somebody else's default.
    """

    CREATED = "CREATED"
    EXPORTED = "EXPORTED"
    ACCEPTED = "ACCEPTED"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    COVERED = "COVERED"
    UNCOVERED = "UNCOVERED"
    BORNE = "BORNE"


NEXT: dict[AttemptState, frozenset[AttemptState]] = {
    AttemptState.CREATED: frozenset({AttemptState.EXPORTED}),
    AttemptState.EXPORTED: frozenset({AttemptState.ACCEPTED, AttemptState.SETTLED, AttemptState.REJECTED}),
    AttemptState.ACCEPTED: frozenset({AttemptState.SETTLED, AttemptState.REJECTED}),
    AttemptState.SETTLED: frozenset({AttemptState.RETURNED}),
    AttemptState.REJECTED: frozenset(),
    AttemptState.RETURNED: frozenset(),
}
"""The only ways on. The table `settlement.payment_steps` holds the same, and a test holds the two together."""

FAILED = frozenset({AttemptState.REJECTED, AttemptState.RETURNED})
"""Failed for good: only now may the leg be tried again."""
DONE = frozenset({AttemptState.SETTLED, AttemptState.COVERED, AttemptState.BORNE})
"""Nothing more is to come of it."""
UNDER_WAY = frozenset({AttemptState.EXPORTED, AttemptState.ACCEPTED})
"""Instructed, and no bank has booked it yet."""


class Leg(NamedTuple):
    """A payment an approved run asks for; minor units. Numbered within the run, in the order of its result."""

    leg_no: int
    currency: str
    payer: str
    payee: str
    minor_units: int


class LegView(NamedTuple):
    """A leg with its newest attempt; `attempt` 0 and empty names when there is none yet.

    `borne`: what of it the payee bears of defaults, minor units: so much less is paid.
    """

    leg: Leg
    attempt: int
    end_to_end_id: str
    message_id: str
    state: AttemptState
    booked_on: date | None
    reason: str
    borne: int = 0

    @property
    def due(self) -> Leg:
        """The leg with what is to be paid of it."""
        return self.leg._replace(minor_units=self.leg.minor_units - self.borne)


class Party(NamedTuple):
    """A participant and the account it pays from or is paid on."""

    participant: str
    account: BankAccount


class Instruction(NamedTuple):
    """One attempt to pay one leg, as a bank is told."""

    end_to_end_id: str
    leg: Leg
    attempt: int
    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Everything a payment file says. The same order gives the same bytes in every format.

    Attributes:
        message_id: names the file to the bank.
        window_no: what is settled.
        currency: of every payment in it.
        batch_no: 1 for the first file of a run and currency; each retry makes another.
        created_at: when it was first exported; stands in the file instead of the clock.
        execution_date: when the bank is to pay.
        operator: who asks, with the clearing account.
        instructions: in the order of their legs.
    """

    message_id: str
    window_no: int
    currency: str
    batch_no: int
    created_at: datetime
    execution_date: date
    operator: Party
    instructions: Sequence[Instruction]

    @property
    def count(self) -> int:
        """How many payments."""
        return len(self.instructions)

    @property
    def control_sum(self) -> int:
        """What they sum to, minor units."""
        return sum(instruction.leg.minor_units for instruction in self.instructions)

    @property
    def remittance(self) -> str:
        """What the payee's statement will say."""
        return f"points settlement windows/{self.window_no}"
