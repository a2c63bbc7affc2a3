"""What the ledger is made of: commands that ask, postings that were decided, transfers that happened.

Shapes that go to the database are named tuples in the order of their composite types (migration 0001): a batch hands
them over as they are. Points are whole numbers of one currency; money is micro-units of a settlement currency.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, NamedTuple
from uuid import UUID
from zlib import crc32

BUCKETS = 1024


class TransferKind(enum.IntEnum):
    """Kinds of movement; numbered as `exchange.v1.Transfer.Kind`."""

    EARN = 1
    REDEEM = 2
    DISCOUNT = 3
    CONVERT = 4


class ObligationKind(enum.IntEnum):
    """Why money is owed; numbered as `exchange.v1.Obligation.Kind`."""

    EARN = 1
    REDEEM = 2
    DISCOUNT = 3
    CONVERSION = 4
    SPREAD = 5
    FEE = 6


class Account(enum.IntEnum):
    """The chart of points accounts; numbered as `exchange.v1.PointsLeg.Account`."""

    MEMBER = 1
    CIRCULATION = 2


class Side(enum.IntEnum):
    """Debit takes from a member and adds to circulation; credit the other way round."""

    DEBIT = 1
    CREDIT = 2


class MemberKey(NamedTuple):
    """How a merchant names a member: by id or by its own reference, exactly one of the two."""

    merchant_no: int
    member_id: UUID | None
    reference: str | None


@dataclass(slots=True, kw_only=True)
class Command:
    """A movement somebody asks for. Subclasses belong to the room of the movement and carry what is special to it.

    Attributes:
        merchant_no: the authenticated merchant.
        credential: what it was authenticated by; looked at again when the command is decided.
        request_id: its idempotency key, 1 to 64 characters.
        fingerprint: digest of the business fields; another body under the same key has another one.
        reference: the merchant's own reference, kept with the transfer.
        validate_only: decide and forget.
    """

    kind: ClassVar[TransferKind]

    merchant_no: int
    credential: str
    request_id: str
    fingerprint: bytes
    member: MemberKey
    currency: str
    units: int
    reference: str | None = None
    validate_only: bool = False

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """Currency code and most points the movement may take from the member."""
        return ()

    @property
    def credits(self) -> tuple[str, ...]:
        """Currency codes the movement may give to the member."""
        return ()


class Lot(NamedTuple):
    """Points of one award, as the rules see them: `remaining` is what may still be spent."""

    lot_id: UUID
    remaining: int
    funder_no: int
    price_micros: int
    earned_at: datetime
    expires_at: datetime | None


class PointsLeg(NamedTuple):
    """One side of a points movement (exchange.points_leg).

    Member legs get their sequence when they are applied, and those that credit the posting's new lot get its id.
    """

    account: int
    side: int
    currency_no: int
    units: int
    account_sequence: int | None
    lot_id: UUID | None


class Obligation(NamedTuple):
    """Debtor owes creditor `micros` (exchange.obligation). `points_units x price_micros = micros` where priced."""

    kind: int
    debtor_no: int
    creditor_no: int
    currency_code: str
    micros: int
    points_units: int = 0
    price_micros: int = 0


class NewLot(NamedTuple):
    """A lot a posting makes; at most one of a currency. It gets its id when the posting is applied."""

    currency_no: int
    units: int
    funder_no: int
    price_micros: int
    expires_at: datetime | None


@dataclass(slots=True)
class DailyUse:
    """Source points of a pair a member used on a day, this movement included."""

    source_no: int
    target_no: int
    day: date
    used_units: int


@dataclass(slots=True)
class Posting:
    """What a rule decided: complete, balanced, and not yet written."""

    legs: list[PointsLeg]
    obligations: list[Obligation] = field(default_factory=list)
    new_lots: list[NewLot] = field(default_factory=list)
    rate_id: UUID | None = None
    daily_use: DailyUse | None = None


class Transfer(NamedTuple):
    """A movement that has happened (exchange.new_transfer): immutable."""

    bucket: int
    transfer_id: UUID | None
    kind: int
    merchant_no: int
    member_id: UUID
    request_id: str
    reference: str | None
    occurred_at: datetime
    ledger_sequence: int
    window_no: int
    rate_id: UUID | None
    legs: Sequence[PointsLeg]
    obligations: Sequence[Obligation]


class Receipt(NamedTuple):
    """The yes to a command: its transfer, and whether this is the first answer given once more."""

    transfer: Transfer
    replayed: bool


def member_bucket(member_id: UUID) -> int:
    """Where a member's rows live. Never changed: data is laid out by it."""
    return crc32(member_id.bytes) % BUCKETS


def key_bucket(merchant_no: int, request_id: str) -> int:
    """Where an idempotency key lives: its own, since a key is unique across members."""
    return crc32(b"%d:%s" % (merchant_no, request_id.encode())) % BUCKETS
