from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from exchange.ledger.model import Account, DailyUse, Obligation, PointsLeg, Side, Transfer
from exchange.rates.model import Rate

CIRCULATION, DEBIT = int(Account.CIRCULATION), int(Side.DEBIT)


class DraftRate(NamedTuple):
    """A rate to try, from `begins` on (None: from the first day played); currency numbers of `rate` are not used."""

    source: str
    target: str
    rate: Rate
    begins: datetime | None


class DraftPrice(NamedTuple):
    """Figures of a price to try, by field of `Price`, from `begins` on; a figure that is not there stays as it is."""

    currency: str
    figures: Mapping[str, int]
    begins: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be tried.

    Each rate takes the place of whatever held for its pair and tier, each price that of its currency's from then on.
    """

    rates: Sequence[DraftRate] = ()
    prices: Sequence[DraftPrice] = ()


class EndedLot(NamedTuple):
    """What a lot lost when it ended, and where it came from; `birth` None: from before the days that are played."""

    lot_id: UUID
    units: int
    funder_no: int
    price_micros: int
    birth: Happened | None


class Happened(NamedTuple):
    """A transfer that happened, with all that playing it again needs beside it.

    Attributes:
        transfer: as it was written.
        tier: the tier that came with a conversion, else that of the rate it was given.
        original: what a capture or reversal followed.
        before_units: of a reversal: points that earlier reversals of the same original had taken or given back.
        ended: of an expiry: the lots it ended.
        promised_at: of a conversion by a quote: when that was given.
        has_bonus: promotions gave something beside it, took it back, or had paid for a lot it ended.
    """

    transfer: Transfer
    tier: str = ""
    original: Happened | None = None
    before_units: int = 0
    ended: Sequence[EndedLot] = ()
    promised_at: datetime | None = None
    has_bonus: bool = False

    @property
    def is_promoted(self) -> bool:
        """Whether promotions had a part in it, or in what it reverses."""
        return self.has_bonus or (self.original is not None and self.original.has_bonus)

    @property
    def decided_at(self) -> datetime:
        """The moment whose rates and prices it goes by."""
        return self.promised_at or self.transfer.occurred_at


class Played(NamedTuple):
    """What comes of a transfer.

    Attributes:
        legs: points that moved; only those of circulation are exact, the lots are made up.
        obligations: money left owing.
        frozen_price_micros: of a hold: what its capture is owed at.
        lot_prices: by currency, the price of the lot it made.
        daily_use: what a conversion counts against the member's daily cap.
    """

    legs: Sequence[PointsLeg]
    obligations: Sequence[Obligation]
    frozen_price_micros: int | None = None
    lot_prices: Mapping[int, int] = {}
    daily_use: DailyUse | None = None


@dataclass(slots=True)
class Tally:
    """What movements come to. Points by currency number; money in micro-units by (debtor, creditor, currency code).

    A reversal takes back: it makes what was minted less, or what was burnt.
    """

    minted: Counter[int] = field(default_factory=Counter)
    burnt: Counter[int] = field(default_factory=Counter)
    owed: Counter[tuple[int, int, str]] = field(default_factory=Counter)

    def add(self, legs: Sequence[PointsLeg], obligations: Sequence[Obligation], *, is_reversal: bool) -> None:
        """Count one movement."""
        for leg in legs:
            if leg.account == CIRCULATION:
                minted = (leg.side == DEBIT) != is_reversal
                (self.minted if minted else self.burnt)[leg.currency_no] += -leg.units if is_reversal else leg.units
        for owed in obligations:
            self.owed[(owed.debtor_no, owed.creditor_no, owed.currency_code)] += owed.micros

    def owes(self, merchant_no: int, money: str) -> int:
        """What a merchant owes everybody, in micro-units."""
        return sum(micros for (debtor, _, code), micros in self.owed.items() if (debtor, code) == (merchant_no, money))

    def is_owed(self, merchant_no: int, money: str) -> int:
        """What everybody owes a merchant, in micro-units."""
        return sum(micros for (_, owner, code), micros in self.owed.items() if (owner, code) == (merchant_no, money))


class Beside(NamedTuple):
    """A figure as it was, and as it would have been."""

    actual: int
    draft: int

    @property
    def change(self) -> int:
        """How much more it would have been."""
        return self.draft - self.actual


@dataclass(slots=True)
class Comparison:
    """The days as they were beside the days as they would have been.

    Attributes:
        actual: as they were.
        draft: as they would have been.
        movements: how many were played.
        changed: how many of them would have moved other points or left other debts.
        refused: how many of them would have been refused, by reason.
        dropped: how many followed one that would have been refused.
        kept: how many are not played again but taken over as they were, by kind, or as PROMOTED.
    """

    actual: Tally = field(default_factory=Tally)
    draft: Tally = field(default_factory=Tally)
    movements: int = 0
    changed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    dropped: int = 0
    kept: Counter[str] = field(default_factory=Counter)

    @property
    def currencies(self) -> set[int]:
        """Numbers of the currencies of which points were or would have been made or burnt."""
        counts = (self.actual.minted, self.actual.burnt, self.draft.minted, self.draft.burnt)
        return {number for count in counts for number, units in count.items() if units}

    @property
    def pairs(self) -> set[tuple[int, int, str]]:
        """Debtor, creditor and money of what was or would have been owed."""
        return self.actual.owed.keys() | self.draft.owed.keys()

    def minted(self, currency_no: int) -> Beside:
        """Points made, less those that reversals took back."""
        return Beside(self.actual.minted[currency_no], self.draft.minted[currency_no])

    def burnt(self, currency_no: int) -> Beside:
        """Points burnt, less those that reversals gave back."""
        return Beside(self.actual.burnt[currency_no], self.draft.burnt[currency_no])

    def owes(self, merchant_no: int, money: str) -> Beside:
        """What a merchant owes everybody, in micro-units."""
        return Beside(self.actual.owes(merchant_no, money), self.draft.owes(merchant_no, money))

    def is_owed(self, merchant_no: int, money: str) -> Beside:
        """What everybody owes a merchant, in micro-units."""
        return Beside(self.actual.is_owed(merchant_no, money), self.draft.is_owed(merchant_no, money))

    def net(self, merchant_no: int, money: str) -> Beside:
        """What a merchant is owed less what it owes, in micro-units."""
        owed, owes = self.is_owed(merchant_no, money), self.owes(merchant_no, money)
        return Beside(owed.actual - owes.actual, owed.draft - owes.draft)

    def between(self, pair: tuple[int, int, str]) -> Beside:
        """What a debtor owes a creditor, in micro-units."""
        return Beside(self.actual.owed[pair], self.draft.owed[pair])
