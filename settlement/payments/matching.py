"""What a bank's line means for our payments: the next state of one, nothing new, or a case for people. Pure.

By EndToEndId first; a booking that names none is looked for by amount, day and account, and taken only when exactly one
payment fits. Nothing is guessed: whatever does not fit wholly goes to the exceptions.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from settlement.payments.formats.amounts import minor_units_of
from settlement.payments.model import NEXT, UNDER_WAY, AttemptState
from settlement.payments.reading.model import EntryLine, Line, StatusLine

BOOKING_DAYS_MAX = 5
"""So many days after its execution date a booking without EndToEndId may still be a payment's."""
ACCEPTING = frozenset({"ACTC", "ACCP", "ACSP", "ACWC", "ACFC", "ACSC", "ACCC"})
"""Statuses of a payment that goes on. Even ACSC only promises: settled is what was booked on an account."""
REJECTING = frozenset({"RJCT", "CANC"})
WAITING = frozenset({"RCVD", "PDNG", "PART", "PATC"})


class ExceptionKind(enum.StrEnum):
    """Why a line needs somebody to look at it."""

    UNKNOWN_PAYMENT = "UNKNOWN_PAYMENT"
    UNKNOWN_STATUS = "UNKNOWN_STATUS"
    UNREADABLE_AMOUNT = "UNREADABLE_AMOUNT"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    WRONG_ACCOUNT = "WRONG_ACCOUNT"
    AMBIGUOUS = "AMBIGUOUS"
    CONTRADICTION = "CONTRADICTION"
    DOUBLE_BOOKING = "DOUBLE_BOOKING"
    RETURN_WITHOUT_BOOKING = "RETURN_WITHOUT_BOOKING"


class Booking(NamedTuple):
    """Where and when a bank booked an attempt; `reference` is the bank's own and may be empty."""

    account: str
    is_credit: bool
    booked_on: date | None
    reference: str

    def is_same(self, other: Booking) -> bool:
        """Whether both tell of one booking: by the bank's reference, or by the day where it gives none."""
        if self.reference and other.reference:
            return self.reference == other.reference
        return self.booked_on == other.booked_on


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt as banks know it, with what they said so far."""

    end_to_end_id: str
    message_id: str
    block_id: str
    state: AttemptState
    currency: str
    minor_units: int
    payer_account: str
    payee_account: str
    execution_date: date
    bookings: tuple[Booking, ...] = ()

    def leaves(self, account: str, *, is_credit: bool) -> bool:
        """Whether a booking of this direction on this account is the payment itself and not its return."""
        return account == (self.payee_account if is_credit else self.payer_account)


class Advance(NamedTuple):
    """An attempt comes into another state."""

    end_to_end_id: str
    to_state: AttemptState
    booked_on: date | None
    reason: str


class Known(NamedTuple):
    """Nothing new about an attempt; None: about none in particular."""

    end_to_end_id: str | None


class Unmatched(NamedTuple):
    """A case for people: `end_to_end_id` names the attempt it seems to be about, None when there is none."""

    kind: ExceptionKind
    end_to_end_id: str | None


Outcome: TypeAlias = Advance | Known | Unmatched


@dataclass(slots=True)
class Book:
    """The attempts a message may speak of; what one line changes, the next one finds changed."""

    sent: dict[str, Sent]
    by_file: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_file = {}
        for one in self.sent.values():
            self.by_file.setdefault(one.message_id, []).append(one.end_to_end_id)

    def judge(self, line: Line) -> list[Outcome]:
        """What a line means; the book has it then."""
        outcomes = list(self._of_status(line)) if isinstance(line, StatusLine) else [self._of_entry(line)]
        for outcome in outcomes:
            if isinstance(outcome, Advance):
                one = self.sent[outcome.end_to_end_id]
                self.sent[one.end_to_end_id] = replace(one, state=outcome.to_state)
        return outcomes

    def _of_status(self, line: StatusLine) -> Iterator[Outcome]:
        named = [line.end_to_end_id] if line.end_to_end_id else self._in_block(line)
        known = [name for name in named if name in self.sent and self.sent[name].message_id == line.message_id]
        if not known:
            yield Unmatched(ExceptionKind.UNKNOWN_PAYMENT, None)
        elif line.status in ACCEPTING | REJECTING:
            for name in known:
                yield _told(self.sent[name], line)
        elif line.status in WAITING:
            yield Known(None)
        else:
            yield Unmatched(ExceptionKind.UNKNOWN_STATUS, known[0] if line.end_to_end_id else None)

    def _in_block(self, line: StatusLine) -> list[str]:
        in_file = self.by_file.get(line.message_id, [])
        return [name for name in in_file if line.block_id in ("", self.sent[name].block_id)]

    def _of_entry(self, line: EntryLine) -> Outcome:
        minor = None if line.amount is None else minor_units_of(line.amount, line.currency)
        if minor is None:
            return Unmatched(ExceptionKind.UNREADABLE_AMOUNT, line.end_to_end_id if self._has(line) else None)
        if line.end_to_end_id:
            if not self._has(line):
                return Unmatched(ExceptionKind.UNKNOWN_PAYMENT, None)
            return self._booked(self.sent[line.end_to_end_id], line, minor)
        fitting = [one for one in self.sent.values() if _fits(one, line, minor)]
        if len(fitting) == 1:
            return self._booked(fitting[0], line, minor)
        return Unmatched(ExceptionKind.AMBIGUOUS if fitting else ExceptionKind.UNKNOWN_PAYMENT, None)

    def _has(self, line: EntryLine) -> bool:
        return line.end_to_end_id in self.sent

    def _booked(self, one: Sent, line: EntryLine, minor: int) -> Outcome:
        name = one.end_to_end_id
        if line.account not in (one.payer_account, one.payee_account):
            return Unmatched(ExceptionKind.WRONG_ACCOUNT, name)
        if (minor, line.currency) != (one.minor_units, one.currency):
            return Unmatched(ExceptionKind.AMOUNT_DIFFERS, name)
        booking = Booking(line.account, line.is_credit, line.booked_on, line.reference)
        before = [b for b in one.bookings if (b.account, b.is_credit) == (booking.account, booking.is_credit)]
        if before:
            return Known(name) if before[-1].is_same(booking) else Unmatched(ExceptionKind.DOUBLE_BOOKING, name)
        outcome = _moved(one, line)
        if not isinstance(outcome, Unmatched):
            self.sent[name] = replace(one, bookings=(*one.bookings, booking))
        return outcome


def _told(one: Sent, line: StatusLine) -> Outcome:
    """What a status means for one attempt."""
    to_state = AttemptState.ACCEPTED if line.status in ACCEPTING else AttemptState.REJECTED
    late = to_state is AttemptState.ACCEPTED and one.state in {AttemptState.SETTLED, AttemptState.RETURNED}
    if one.state is to_state or late:
        return Known(one.end_to_end_id)
    if to_state in NEXT[one.state]:
        return Advance(one.end_to_end_id, to_state, None, line.reason)
    return Unmatched(ExceptionKind.CONTRADICTION, one.end_to_end_id)


def _moved(one: Sent, line: EntryLine) -> Outcome:
    """What a booking on one of its two accounts means for an attempt."""
    comes_back = line.returned or not one.leaves(line.account, is_credit=line.is_credit)
    to_state = AttemptState.RETURNED if comes_back else AttemptState.SETTLED
    # The other side's statement tells the same a second time.
    if one.state is to_state:
        return Known(one.end_to_end_id)
    if to_state in NEXT[one.state]:
        return Advance(one.end_to_end_id, to_state, line.booked_on, line.reason)
    early = comes_back and one.state in UNDER_WAY
    kind = ExceptionKind.RETURN_WITHOUT_BOOKING if early else ExceptionKind.CONTRADICTION
    return Unmatched(kind, one.end_to_end_id)


def _fits(one: Sent, line: EntryLine, minor: int) -> bool:
    """Whether a booking without EndToEndId can be this attempt: under way, same amount, accounts and about the day."""
    other_side = one.payer_account if line.is_credit else one.payee_account
    latest = one.execution_date + timedelta(days=BOOKING_DAYS_MAX)
    return (
        one.state in UNDER_WAY
        and not line.returned
        and (minor, line.currency) == (one.minor_units, one.currency)
        and one.leaves(line.account, is_credit=line.is_credit)
        and line.counterparty in ("", other_side)
        and line.booked_on is not None
        and one.execution_date <= line.booked_on <= latest
    )


def names_in(lines: Iterable[Line]) -> tuple[set[str], set[str]]:
    """The payments and the files a message speaks of by name."""
    payments = {line.end_to_end_id for line in lines if line.end_to_end_id}
    files = {line.message_id for line in lines if isinstance(line, StatusLine)}
    return payments, files
