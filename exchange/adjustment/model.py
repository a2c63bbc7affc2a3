from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from exchange.callers import Caller, CallerRole
from exchange.ledger.model import MemberCommand, TransferKind

LIFETIME = timedelta(days=7)
"""For how long a proposal may be approved."""
WAITING_MAX = 100
"""Proposals of one merchant, or of the operator, that wait at once."""


class Direction(enum.IntEnum):
    """Whether points are given or taken; numbered as `exchange.v1.Adjustment.Direction`."""

    CREDIT = 1
    DEBIT = 2


class Reason(enum.IntEnum):
    """Why points may be adjusted: a closed list; numbered as `exchange.v1.Adjustment.Reason`."""

    MISSING_AWARD = 1
    WRONG_AWARD = 2
    GOODWILL = 3
    FRAUD = 4
    SYSTEM_FAULT = 5
    LEGAL = 6
    OTHER = 7


class State(enum.IntEnum):
    """How far an adjustment has come; numbered as `exchange.v1.Adjustment.State`."""

    PROPOSED = 1
    APPROVED = 2
    POSTED = 3
    REFUSED = 4
    WITHDRAWN = 5
    LAPSED = 6


DECIDED = frozenset({State.APPROVED, State.POSTED, State.REFUSED})
"""A second person has said yes: what follows is the ledger's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be done; never changed: other terms are another proposal.

    Attributes:
        bucket: where the member lives.
        member_id: whose points.
        currency: code.
        direction: given or taken.
        units: how many points, at least 1.
        reason: why, of the closed list.
        note: why, in words.
        funder: id of the merchant that pays for points given; of points taken the empty text.
    """

    bucket: int
    member_id: UUID
    currency: str
    direction: Direction
    units: int
    reason: Reason
    note: str
    funder: str

    def digest(self) -> str:
        """SHA-256 of the terms, in hexadecimal: what an approval names."""
        said = {
            "member": str(self.member_id),
            "currency": self.currency,
            "direction": self.direction.name,
            "units": self.units,
            "reason": self.reason.name,
            "note": self.note,
            "funder": self.funder,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """Terms on their way into the ledger.

    Attributes:
        adjustment_id: its id.
        terms: what is to be done.
        merchant_no: who proposed it; None: the operator.
        request_id: the proposer's key.
        proposed_by: the credential it was proposed with.
        proposed_person: who held it; None: a merchant's system.
        proposed_at: when.
        expires_at: when it lapses unless it was decided.
        state: how far it has come.
        decided_by: the credential it was approved or withdrawn with; empty while it waits.
        decided_person: who held it; None: nobody is named.
        decided_at: when; None while it waits.
        decision_note: why, in the decider's words.
        transfer_id: of a posted one.
        refusal: why the ledger refused it, a reason; else empty.
    """

    adjustment_id: UUID
    terms: Terms
    merchant_no: int | None
    request_id: str
    proposed_by: str
    proposed_person: str | None
    proposed_at: datetime
    expires_at: datetime
    state: State
    decided_by: str = ""
    decided_person: str | None = None
    decided_at: datetime | None = None
    decision_note: str = ""
    transfer_id: UUID | None = None
    refusal: str = ""

    @property
    def name(self) -> str:
        """Resource name."""
        return f"adjustments/{self.adjustment_id}"

    def is_of(self, caller: Caller) -> bool:
        """Whether the caller may see it: its merchant, the operator, an auditor."""
        return caller.role is not CallerRole.MERCHANT or caller.merchant_no == self.merchant_no


@dataclass(slots=True, kw_only=True)
class Credit(MemberCommand):
    """Give points, paid for by `funder_no`. Asked for by the exchange itself, once two persons have."""

    kind: ClassVar[TransferKind] = TransferKind.CREDIT_ADJUSTMENT

    funder_no: int

    @property
    def credits(self) -> tuple[str, ...]:
        """The currency given."""
        return (self.currency,)


@dataclass(slots=True, kw_only=True)
class Debit(MemberCommand):
    """Take points. Asked for by the exchange itself, once two persons have."""

    kind: ClassVar[TransferKind] = TransferKind.DEBIT_ADJUSTMENT

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """The currency taken, and how much."""
        return ((self.currency, self.units),)
