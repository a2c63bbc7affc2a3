"""A change of a net debit cap: proposed by one person, approved by another, never changed itself."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LIFETIME = timedelta(days=7)
"""For how long a proposal may be approved."""
WAITING_MAX = 100
"""Proposals that wait at once."""


class State(enum.IntEnum):
    """How far a change has come; numbered as `exchange.v1.NetDebitCapChange.State`."""

    PROPOSED = 1
    APPROVED = 2
    WITHDRAWN = 3
    LAPSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a proposer asks for.

    Attributes:
        merchant: id.
        currency_code: settlement currency.
        cap_micros: most the merchant may owe; None: the cap is taken away.
        reason: why, in words.
    """

    merchant: str
    currency_code: str
    cap_micros: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapChange:
    """A change on its way.

    Attributes:
        change_id: its id.
        asked: what is to be done.
        merchant_no: the merchant's number.
        before_micros: the cap as it was when this was proposed; None: there was none.
        request_id: the proposer's key.
        proposed_by: the credential it was proposed with.
        proposed_person: who held it.
        proposed_at: when.
        expires_at: when it lapses unless it was decided.
        state: how far it has come.
        decided_by: the credential it was approved or withdrawn with; empty while it waits.
        decided_person: who held it; None: nobody is named.
        decided_at: when; None while it waits.
        decision_note: why, in the decider's words.
    """

    change_id: UUID
    asked: Asked
    merchant_no: int
    before_micros: int | None
    request_id: str
    proposed_by: str
    proposed_person: str
    proposed_at: datetime
    expires_at: datetime
    state: State
    decided_by: str = ""
    decided_person: str | None = None
    decided_at: datetime | None = None
    decision_note: str = ""

    @property
    def name(self) -> str:
        """Resource name."""
        return f"netDebitCapChanges/{self.change_id}"

    def digest(self) -> str:
        """SHA-256 of the cap before and after, in hexadecimal: what an approval names."""
        said = {
            "merchant": self.asked.merchant,
            "currency": self.asked.currency_code,
            "before": self.before_micros,
            "after": self.asked.cap_micros,
            "reason": self.asked.reason,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
