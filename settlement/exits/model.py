"""What must come to nothing before a participant has left, and what is found of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Subject(enum.StrEnum):
    """What is looked at, in this order."""

    BUSINESS = "BUSINESS"
    """Whether it can still make new business."""
    OBLIGATIONS = "OBLIGATIONS"
    """What it owes and is owed in windows that no run has netted, the open one too."""
    CARRIED = "CARRIED"
    """What a run carried for it."""
    HELD = "HELD"
    """What is held for its sake or against it."""
    PAYMENTS = "PAYMENTS"
    """What is to be paid by it or to it and no bank has booked."""
    DISPUTES = "DISPUTES"
    """Disputes of what it owes or is owed that have not ended, also of what was settled first."""
    ADJUSTMENTS = "ADJUSTMENTS"
    """Adjustments of what it owes or is owed in windows that no run has netted."""
    PROPOSALS = "PROPOSALS"
    """Movements of its money, defaults and adjustments that wait for a checker."""
    FUNDS = "FUNDS"
    """What it left with the clearing house."""
    POINTS_ISSUED = "POINTS_ISSUED"
    """Points of its currencies that members hold: it owes whoever accepts them."""
    POINTS_FUNDED = "POINTS_FUNDED"
    """Points of others that it paid for: it may be owed a share when they expire."""


NAMED = frozenset({Subject.DISPUTES, Subject.ADJUSTMENTS, Subject.PROPOSALS})
"""What has a name of its own: a refusal tells it."""

WAIVABLE = frozenset({Subject.POINTS_ISSUED, Subject.POINTS_FUNDED})
"""What may be left for a reason that is written down: money may not."""

NEXT = {
    Subject.BUSINESS: "the operator suspends it (SuspendMerchant)",
    Subject.OBLIGATIONS: "close the window, and run it to the end",
    Subject.CARRIED: "run the next window with minimum 0 for the currency",
    Subject.HELD: "end its disputes, release what else is held in a window (propose exclusions), and run it to the end",
    Subject.PAYMENTS: "take the run to the bank and back: submit, approve, export, import-status; or recover",
    Subject.DISPUTES: "let them be answered, decided (decide-dispute) or withdrawn",
    Subject.ADJUSTMENTS: "close the window, and run it to the end",
    Subject.PROPOSALS: "approve, reject or withdraw them",
    Subject.FUNDS: "return them: withdraw-funds",
    Subject.POINTS_ISSUED: "let members use them or end them, or say why they stay: exit --waive points_issued=REASON",
    Subject.POINTS_FUNDED: "let members use them or end them, or say why they stay: exit --waive points_funded=REASON",
}
"""What is done about each."""


class Unit(enum.StrEnum):
    """What a finding counts."""

    YES = "YES"
    MICROS = "MICROS"
    MINOR_UNITS = "MINOR_UNITS"
    POINTS = "POINTS"
    ITEMS = "ITEMS"


class Finding(NamedTuple):
    """Something that is left.

    Attributes:
        subject: of what.
        what: where it stands and which way, "windows/3 owes TEL"; of a dispute, an adjustment or a proposal its name
            first.
        currency: settlement or points currency; empty where there is none.
        amount: how much, above 0.
        unit: of what.
    """

    subject: Subject
    what: str
    currency: str
    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class ParticipantExit:
    """That a participant has left: a certificate of everything that was looked at and found to be nothing.

    Attributes:
        participant: who left.
        waivers: reasons for what is left all the same, by subject.
        window_no: the window that was open when it was looked at.
        findings: what is left, each with a waiver.
    """

    participant: str
    waivers: Mapping[Subject, str] = field(default_factory=dict)
    window_no: int = 0
    findings: Sequence[Finding] = ()

    @property
    def name(self) -> str:
        """What is told when it is refused."""
        return f"merchants/{self.participant}/exit"
