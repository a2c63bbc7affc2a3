"""Journal entries: balanced by themselves, named so that posting one twice can be noticed. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Posting(NamedTuple):
    """One side of an entry, minor units; one of the two figures is 0."""

    account: str
    debit: int
    credit: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What happened in one participant's books, in one currency, on one day.

    Attributes:
        external_id: the same for the same thing, for ever: whoever imports a journal again knows what it has.
        on: the day of the books.
        entity: whose books.
        currency: ISO 4217 code.
        text: what it is.
        postings: debits and credits that are equal.
    """

    external_id: str
    on: date
    entity: str
    currency: str
    text: str
    postings: Sequence[Posting]

    def __post_init__(self) -> None:
        debits, credits_ = sum(p.debit for p in self.postings), sum(p.credit for p in self.postings)
        assert debits == credits_, f"{self.external_id} debits {debits} and credits {credits_}"


class PaymentEvent(NamedTuple):
    """A booking of a bank: a payment was settled, or came back."""

    end_to_end_id: str
    currency: str
    payer: str
    payee: str
    minor_units: int
    booked_on: date
    returned: bool
