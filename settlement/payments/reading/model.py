"""Lines of a bank's message, whatever the message was. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeAlias


class StatusLine(NamedTuple):
    """What a bank says of instructions it was given (pain.002).

    Attributes:
        message_id: of the file it answers.
        block_id: of the debtor's block; empty: of the whole file.
        end_to_end_id: of the payment; empty: of all in the block or file.
        status: ISO 20022 code, "RJCT".
        reason: why, as code and text; may be empty.
    """

    message_id: str
    block_id: str
    end_to_end_id: str
    status: str
    reason: str


class EntryLine(NamedTuple):
    """A booking on an account (camt.053, camt.054).

    Attributes:
        account: on which.
        end_to_end_id: of the payment; empty: the bank does not say.
        currency: ISO 4217 code.
        amount: as the bank wrote it, positive; None: it named none for this payment of a batch.
        is_credit: the account got it; else it gave it.
        booked_on: when; None: not said.
        reference: the bank's own for this booking; may be empty.
        returned: the bank says that it comes back.
        reason: why it comes back; may be empty.
        counterparty: the account on the other side; may be empty.
    """

    account: str
    end_to_end_id: str
    currency: str
    amount: Decimal | None
    is_credit: bool
    booked_on: date | None
    reference: str
    returned: bool
    reason: str
    counterparty: str


Line: TypeAlias = StatusLine | EntryLine


@dataclass(frozen=True, slots=True)
class BankMessage:
    """A message read: `name` is "camt.053.001.08"; `message_id` the bank's own; lines in the order to apply them."""

    name: str
    message_id: str
    lines: Sequence[Line]


class Unreadable(Exception):
    """What came is no message a bank would send; the text says why."""
