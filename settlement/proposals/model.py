"""What is proposed: a document of one kind. The kinds' contents are values; each says how it is written."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from settlement.calendar.model import Calendar
from settlement.defaults.model import DefaultDeclaration, DefaultRecovery
from settlement.defaults.write_off_model import DefaultWriteOff
from settlement.disputes.model import AgreedAdjustment, DisputeDecision, DisputePolicy
from settlement.exits.model import ParticipantExit
from settlement.funds.model import FundsMovement, FundsTerms
from settlement.fx.model import FxChoice, FxSet
from settlement.run.legal import LegalModel
from settlement.run.model import Chosen


class Kind(enum.StrEnum):
    """What a document is about. Of each that is not in STANDS_ALONE, one holds at a time."""

    TERMS = "TERMS"
    TIERS = "TIERS"
    EXCLUSIONS = "EXCLUSIONS"
    CALENDAR = "CALENDAR"
    SPECIAL_CLOSING = "SPECIAL_CLOSING"
    FUNDS_TERMS = "FUNDS_TERMS"
    FUNDS_MOVEMENT = "FUNDS_MOVEMENT"
    DEFAULT_DECLARATION = "DEFAULT_DECLARATION"
    FX_SET = "FX_SET"
    PARTICIPANT_EXIT = "PARTICIPANT_EXIT"
    DISPUTE_POLICY = "DISPUTE_POLICY"
    DISPUTE_DECISION = "DISPUTE_DECISION"
    ADJUSTMENT = "ADJUSTMENT"
    DEFAULT_RECOVERY = "DEFAULT_RECOVERY"
    DEFAULT_WRITE_OFF = "DEFAULT_WRITE_OFF"


STANDS_ALONE = frozenset(
    {
        Kind.SPECIAL_CLOSING,
        Kind.FUNDS_MOVEMENT,
        Kind.DEFAULT_DECLARATION,
        Kind.FX_SET,
        Kind.PARTICIPANT_EXIT,
        Kind.DISPUTE_DECISION,
        Kind.ADJUSTMENT,
        Kind.DEFAULT_RECOVERY,
        Kind.DEFAULT_WRITE_OFF,
    }
)
"""Every approved document of these stands by itself and replaces none; `settlement.stands_alone` says the same."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run takes where nobody says otherwise.

    Attributes:
        mode: a netting mode.
        legal_model: what it is in law.
        minimums: the smallest payment by currency, minor units.
        maximum_carry_days: by currency, after how many days what is carried is paid.
        fx: how positions are brought into the currencies participants chose; None: each is settled in its own.
        holds_suspended: whether what merchants owe and are owed who are suspended in the exchange is held.
    """

    mode: str
    legal_model: LegalModel
    minimums: Mapping[str, int] = field(default_factory=dict)
    maximum_carry_days: Mapping[str, int] = field(default_factory=dict)
    fx: FxChoice | None = None
    holds_suspended: bool = False


class Tier(NamedTuple):
    """From so many minor units paid in a currency on, so many checkers."""

    currency: str
    from_minor_units: int
    checkers: int


@dataclass(frozen=True, slots=True)
class Tiers:
    """How many must approve, by amount; by currency and amount. A currency without a tier takes one checker."""

    tiers: Sequence[Tier]


class Exclusion(NamedTuple):
    """A participant whose obligations are held."""

    participant: str
    reason: str


class Release(NamedTuple):
    """A participant for whose sake items are held, and the window in which they enter netting again.

    What follows the window chooses among the items, as in `run.model.Chosen`; nothing of it: all of them.
    """

    participant: str
    window_no: int
    currency: str = ""
    debtor: str = ""
    creditor: str = ""
    since_window: int = 0
    at_least: int = 0
    at_most: int = 0

    @property
    def chosen(self) -> Chosen:
        """The items."""
        return Chosen(self.participant, *self[2:])

    @property
    def is_whole(self) -> bool:
        """Whether all items come back."""
        return not any(self[2:])


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Who takes no part in netting, and what of theirs comes back when; by participant."""

    excluded: Sequence[Exclusion] = ()
    released: Sequence[Release] = ()

    def names(self) -> tuple[str, ...]:
        """Who is excluded."""
        return tuple(sorted(one.participant for one in self.excluded))

    def released_in(self, window_no: int) -> tuple[str, ...]:
        """Whose items all enter netting again in a window."""
        return tuple(sorted({one.participant for one in self.released if one.window_no == window_no and one.is_whole}))

    def chosen_in(self, window_no: int) -> tuple[Chosen, ...]:
        """What of others' items enters netting again in a window."""
        whole = self.released_in(window_no)
        here = [one for one in self.released if one.window_no == window_no and not one.is_whole]
        return tuple(sorted({one.chosen for one in here if one.participant not in whole}))


@dataclass(frozen=True, slots=True)
class SpecialClosing:
    """Leave to close a window off the calendar, and to settle these currencies with it."""

    window_no: int
    currencies: Sequence[str]


Defaulted = DefaultDeclaration | DefaultRecovery | DefaultWriteOff
Funds = FundsTerms | FundsMovement | Defaulted | ParticipantExit
Disputed = DisputePolicy | DisputeDecision | AgreedAdjustment
Content = Terms | Tiers | Exclusions | Calendar | SpecialClosing | Funds | Disputed | FxSet


class ProposalState(enum.StrEnum):
    """How far a proposal is."""

    WAITING = "WAITING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class Said(NamedTuple):
    """Who proposed or decided it, when and why."""

    at: datetime
    actor: str
    person: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A document somebody proposed, with what became of it.

    Attributes:
        proposal_id: its id.
        kind: what it is about.
        content: the document.
        digest: SHA-256 of its written form.
        replaces: the document that held when it was proposed; None: there was none.
        proposed: by whom.
        decision: by whom it was decided; None: it waits.
        state: how far it is.
        in_force: whether it is the one of its kind that holds now.
    """

    proposal_id: UUID
    kind: Kind
    content: Content
    digest: str
    replaces: UUID | None
    proposed: Said
    decision: Said | None
    state: ProposalState
    in_force: bool

    @property
    def name(self) -> str:
        """Resource name."""
        return f"proposals/{self.proposal_id}"
