from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from exchange.ledger.model import Account, DailyUse, Obligation, PointsLeg, Side, Transfer
from exchange.promotions.model import Promotion
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


class DraftPromotion(NamedTuple):
    """A promotion to try, from `begins` on (None: from the first day played); its number and beginning are not used."""

    promotion: Promotion
    begins: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be tried.

    Each rate takes the place of whatever held for its pair and tier, each price that of its currency's from then on. A
    promotion takes the place of the one with its id from then on, and goes on with what that had given of budget and
    caps; one with another id is on beside all others.
    """

    rates: Sequence[DraftRate] = ()
    prices: Sequence[DraftPrice] = ()
    promotions: Sequence[DraftPromotion] = ()


class PastBonus(NamedTuple):
    """A bonus that was given beside a transfer, or that a reversal took back (`returned`); price in micro-units."""

    promotion_no: int
    units: int
    returned: bool
    lot_id: UUID
    price_micros: int


class EndedLot(NamedTuple):
    """What a lot lost when it ended, and where it came from; `birth` None: from before the days that are played.

    `promotion_no`: of a bonus, by whose promotion it was given.
    """

    lot_id: UUID
    units: int
    funder_no: int
    price_micros: int
    birth: Happened | None
    promotion_no: int | None = None


class Happened(NamedTuple):
    """A transfer that happened, with all that playing it again needs beside it.

    Attributes:
        transfer: as it was written.
        tier: the tier that came with a conversion, else that of the rate it was given.
        original: what a capture or reversal followed.
        before_units: of a reversal: points that earlier reversals of the same original had taken or given back.
        ended: of an expiry: the lots it ended.
        promised_at: of a conversion by a quote: when that was given.
        bonuses: what promotions gave beside it, or it took back of that.
        used_before: what its member had of promotions with a cap before the days that are played, by their numbers.
    """

    transfer: Transfer
    tier: str = ""
    original: Happened | None = None
    before_units: int = 0
    ended: Sequence[EndedLot] = ()
    promised_at: datetime | None = None
    bonuses: Sequence[PastBonus] = ()
    used_before: Mapping[int, int] = {}

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
        bonuses: points that promotions gave, or a reversal took back, by the numbers of the promotions.
        sponsored: what sponsors owe for them, or are owed back, by sponsor and money; part of the obligations.
    """

    legs: Sequence[PointsLeg]
    obligations: Sequence[Obligation]
    frozen_price_micros: int | None = None
    lot_prices: Mapping[int, int] = {}
    daily_use: DailyUse | None = None
    bonuses: Mapping[int, int] = {}
    sponsored: Mapping[tuple[int, str], int] = {}


@dataclass(slots=True)
class Tally:
    """What movements come to. Points by currency number; money in micro-units by (debtor, creditor, currency code).

    A reversal takes back: it makes what was minted less, or what was burnt, bonuses and what sponsors paid. Bonuses by
    the promotion's id, part of what was minted; what sponsors pay by (sponsor, currency code), part of what was owed.
    """

    minted: Counter[int] = field(default_factory=Counter)
    burnt: Counter[int] = field(default_factory=Counter)
    owed: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    bonuses: Counter[str] = field(default_factory=Counter)
    sponsored: Counter[tuple[int, str]] = field(default_factory=Counter)

    def add(self, played: Played, promotions: Mapping[int, Promotion], *, is_reversal: bool) -> None:
        """Count one movement; `promotions` by number."""
        for leg in played.legs:
            if leg.account == CIRCULATION:
                minted = (leg.side == DEBIT) != is_reversal
                (self.minted if minted else self.burnt)[leg.currency_no] += -leg.units if is_reversal else leg.units
        sign = -1 if is_reversal else 1
        for number, units in played.bonuses.items():
            self.bonuses[promotions[number].promotion_id] += sign * units
        for sponsor, micros in played.sponsored.items():
            self.sponsored[sponsor] += sign * micros
        for owed in played.obligations:
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
        dropped: how many followed one that would have been refused, or had nothing left to end.
        kept: how many are not played again but taken over as they were, by kind.
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
    def promotions(self) -> list[str]:
        """Ids of the promotions that gave or would have given anything."""
        counts = (self.actual.bonuses, self.draft.bonuses)
        return sorted({promotion_id for count in counts for promotion_id, units in count.items() if units})

    @property
    def sponsors(self) -> set[tuple[int, str]]:
        """Sponsor and money of what sponsors paid or would have paid."""
        counts = (self.actual.sponsored, self.draft.sponsored)
        return {sponsor for count in counts for sponsor, micros in count.items() if micros}

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

    def bonuses(self, promotion_id: str) -> Beside:
        """Points a promotion gave, less those that reversals took back."""
        return Beside(self.actual.bonuses[promotion_id], self.draft.bonuses[promotion_id])

    def sponsored(self, sponsor: tuple[int, str]) -> Beside:
        """What a sponsor pays for bonuses in a money, less what reversals gave back, in micro-units."""
        return Beside(self.actual.sponsored[sponsor], self.draft.sponsored[sponsor])

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
