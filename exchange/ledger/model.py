"""What the ledger is made of: postings that were decided, transfers that happened, and the commands that ask.

Shapes that go to the database are named tuples in the order of their composite types (migration 0001): a batch hands
them over as they are. Points are whole numbers of one currency; money is micro-units of a settlement currency.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID
from zlib import crc32

from exchange.ledger.bonuses import Bonus
from exchange.ledger.commands import OWN_REQUESTS as OWN_REQUESTS  # noqa: PLC0414 - rooms take all words from here
from exchange.ledger.commands import Command as Command  # noqa: PLC0414
from exchange.ledger.commands import FollowUp as FollowUp  # noqa: PLC0414
from exchange.ledger.commands import MemberCommand as MemberCommand  # noqa: PLC0414
from exchange.ledger.commands import MemberKey as MemberKey  # noqa: PLC0414
from exchange.ledger.external import Begun, Ended
from exchange.ledger.kinds import ObligationKind as ObligationKind  # noqa: PLC0414
from exchange.ledger.kinds import TransferKind as TransferKind  # noqa: PLC0414

BUCKETS: Final = 1024


class Account(enum.IntEnum):
    """The chart of points accounts; numbered as `exchange.v1.PointsLeg.Account`."""

    MEMBER = 1
    CIRCULATION = 2
    HELD = 3
    OVERDRAFT = 4


class Side(enum.IntEnum):
    """Debit takes from a member and adds to circulation; credit the other way round."""

    DEBIT = 1
    CREDIT = 2


class Lot(NamedTuple):
    """Points of one award, as the rules see them: `remaining` may still be spent, `held` is reserved."""

    lot_id: UUID
    remaining: int
    funder_no: int
    price_micros: int
    earned_at: datetime
    expires_at: datetime | None
    held: int = 0


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


class Progress(NamedTuple):
    """How far what follows a transfer has gone: points captured of a hold, or reversed of anything else.

    `ended`: nothing more can follow. `lapses_at`, and whether its time ended it: of a hold. What was taken back of the
    money spent and of what it carried, minor units: of an earn by spend.
    """

    done_units: int
    ended: bool
    lapses_at: datetime | None = None
    lapsed: bool = False
    returned_minor: int = 0
    uncarried_minor: int = 0


class Spend(NamedTuple):
    """Money spent under an earn rule, or given back, and what is carried then: below zero it must be spent again."""

    rule_id: str
    minor_units: int
    carried_minor: int


class Posting:
    """What a rule decided: complete, balanced, and not yet written.

    Attributes:
        legs: points legs; member legs without sequence.
        obligations: money left owing.
        new_lots: at most one of a currency.
        rate_id: the rate a conversion applied.
        daily_use: what a conversion counts against the member's daily cap.
        original_id: the transfer this one follows, whose progress is then `progress`.
        progress: for a hold: how its own follow-ups begin.
        frozen_price_micros: for a hold: the redeem price its capture is owed at.
        spend: for an earn by spend, and its reversals.
        quote_id: the quote a conversion uses up.
        tier: the tier a merchant gave with a conversion; empty: none.
        unused: whether its points end without having been used.
        is_activity: whether the member does something, or is given something, so that idle points do not end.
        bonuses: what promotions gave, or a reversal took back of that; legs that give stand after all others.
        promised: for a hold: what will be owed when all of it is captured; counts against net debit caps until then.
        freed: for what ends a hold: the same, which counts no longer.
        kind: what kind of transfer it is, where the command alone does not say; None: the command's.
        external: the conversion it begins or ends that waits for an issuer's own ledger.
    """

    __slots__ = (
        "bonuses", "daily_use", "external", "freed", "frozen_price_micros", "is_activity", "kind", "legs", "new_lots",
        "obligations", "original_id", "progress", "promised", "quote_id", "rate_id", "spend", "tier", "unused",
    )  # fmt: skip

    def __init__(
        self,
        legs: list[PointsLeg],
        obligations: list[Obligation] | None = None,
        new_lots: list[NewLot] | None = None,
        *,
        rate_id: UUID | None = None,
        daily_use: DailyUse | None = None,
        original_id: UUID | None = None,
        progress: Progress | None = None,
        frozen_price_micros: int | None = None,
        spend: Spend | None = None,
        quote_id: UUID | None = None,
        tier: str = "",
        unused: bool = False,
        is_activity: bool = True,
        promised: Sequence[Obligation] = (),
        freed: Sequence[Obligation] = (),
        kind: TransferKind | None = None,
        external: Begun | Ended | None = None,
    ) -> None:
        self.legs = legs
        self.obligations: list[Obligation] = obligations if obligations is not None else []
        self.new_lots: list[NewLot] = new_lots if new_lots is not None else []
        self.rate_id, self.daily_use, self.original_id, self.progress = rate_id, daily_use, original_id, progress
        self.frozen_price_micros, self.spend, self.quote_id, self.tier = frozen_price_micros, spend, quote_id, tier
        self.unused, self.is_activity = unused, is_activity
        self.bonuses: list[Bonus] = []
        self.promised, self.freed, self.kind, self.external = promised, freed, kind, external


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
    original_id: UUID | None = None
    expires_at: datetime | None = None
    frozen_price_micros: int | None = None
    earn_rule: str | None = None
    spend_minor: int | None = None
    carried_minor: int | None = None


class Receipt(NamedTuple):
    """The yes to a command: its transfer, whether this is the first answer given once more, and what promotions did."""

    transfer: Transfer
    replayed: bool
    bonuses: Sequence[Bonus] = ()


_checksum: Final[Callable[[bytes], int]] = crc32


def transfer_bucket(transfer_id: UUID) -> int:
    """Where a transfer lives: its id says it (`new_id`), so that a name alone finds the row."""
    return transfer_id.int % BUCKETS


def member_bucket(member_id: UUID) -> int:
    """Where a member's rows live. Never changed: data is laid out by it."""
    return _checksum(member_id.bytes) % BUCKETS


def key_bucket(merchant_no: int, request_id: str) -> int:
    """Where an idempotency key lives: its own, since a key is unique across members."""
    return _checksum(f"{merchant_no}:{request_id}".encode()) % BUCKETS
