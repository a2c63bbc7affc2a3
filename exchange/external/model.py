from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple
from uuid import UUID

from exchange.ledger.model import FollowUp, TransferKind
from exchange.ledger.quote import Terms

ASK_SECONDS_MAX = 3_600
"""Longest pause between two queries of one instruction; that it grows keeps a dead partner's queries few."""


class InstructionKind(enum.IntEnum):
    """What an issuer's system is to do; numbered as `exchange.v1.Instruction.Kind`."""

    DEBIT = 1
    CREDIT = 2
    QUERY = 3


class Outcome(enum.IntEnum):
    """What it says became of it; numbered as `exchange.v1.InstructionOutcome`."""

    APPLIED = 1
    REJECTED = 2


class ConversionState(enum.IntEnum):
    """Where a conversion stands; numbered as `exchange.v1.ExternalConversion.State`."""

    INSTRUCTED = 1
    UNKNOWN = 2
    ANSWERED = 3
    COMPLETED = 4
    REJECTED = 5


class Answer(NamedTuple):
    """What an issuer's system says, with its own reference and its reason; None: not given."""

    outcome: Outcome
    reference: str | None
    reason: str | None


class Conversion(NamedTuple):
    """A conversion that was begun, as it stands; the columns of `sql.CONVERSIONS`.

    Attributes:
        bucket: of the member.
        conversion_id: of the transfer that began it, and of its instruction.
        position: in the order in which conversions were begun.
        external_no: the currency that its issuer keeps.
        is_debit: whether that is the source.
        ask_at: when the issuer is asked, or asked again, for its answer.
        queries: how often it was.
        outcome: what it said; None: nothing yet.
        contradicted_at: when it first said the opposite of that.
        transfer_id: what ended it.
    """

    bucket: int
    conversion_id: UUID
    position: int
    merchant_no: int
    member_id: UUID
    external_no: int
    issuer_no: int
    is_debit: bool
    member_reference: str
    answer_seconds: int
    rate_id: UUID
    source_no: int
    target_no: int
    used_units: int
    received_units: int
    fee_micros: int
    out_price_micros: int
    in_price_micros: int
    created_at: datetime
    ask_at: datetime
    queries: int
    outcome: int | None
    answered_at: datetime | None
    answer_reference: str | None
    answer_reason: str | None
    contradicted_at: datetime | None
    transfer_id: UUID | None
    ended_at: datetime | None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"externalConversions/{self.conversion_id}"

    @property
    def state(self) -> ConversionState:
        """Where it stands."""
        if self.ended_at is not None:
            return ConversionState.COMPLETED if self.outcome == Outcome.APPLIED else ConversionState.REJECTED
        if self.outcome is not None:
            return ConversionState.ANSWERED
        return ConversionState.UNKNOWN if self.queries else ConversionState.INSTRUCTED

    @property
    def kind(self) -> InstructionKind:
        """What its issuer is to do."""
        return InstructionKind.DEBIT if self.is_debit else InstructionKind.CREDIT

    @property
    def external_units(self) -> int:
        """How many points its issuer is to take or give."""
        return self.used_units if self.is_debit else self.received_units

    @property
    def terms(self) -> Terms:
        """What was frozen. The daily cap was looked at when it was begun."""
        return Terms(
            self.rate_id,
            self.source_no,
            self.target_no,
            self.used_units,
            self.received_units,
            self.fee_micros,
            self.out_price_micros,
            self.in_price_micros,
            0,
        )


class Instruction(NamedTuple):
    """What an issuer's system was told, and the conversion it is about."""

    instruction_id: UUID
    kind: InstructionKind
    position: int
    created_at: datetime
    conversion: Conversion

    @property
    def name(self) -> str:
        """Resource name."""
        return f"instructions/{self.instruction_id}"


def next_pause(answer_seconds: int, queries: int) -> timedelta:
    """How long to wait before asking again, when so many queries went without an answer: ever longer, up to a point."""
    longest = max(answer_seconds, ASK_SECONDS_MAX)
    # No power beyond what matters: a partner may be away for months.
    return timedelta(seconds=min(answer_seconds * 2 ** min(queries, 20), longest))


@dataclass(slots=True, kw_only=True)
class Complete(FollowUp):
    """Post the exchange's side of a conversion whose issuer has applied its own."""

    kind: ClassVar[TransferKind] = TransferKind.CONVERSION_COMPLETED

    terms: Terms
    is_debit: bool

    @property
    def pair(self) -> tuple[int, int]:
        """Source and target."""
        return (self.terms.source_no, self.terms.target_no)


@dataclass(slots=True, kw_only=True)
class CallOff(FollowUp):
    """Give back what a conversion reserved whose issuer said no."""

    kind: ClassVar[TransferKind] = TransferKind.RELEASE

    terms: Terms
    is_debit: bool

    @property
    def pair(self) -> tuple[int, int]:
        """Source and target."""
        return (self.terms.source_no, self.terms.target_no)
