"""Whose money it is and what it is for. Amounts are whole minor units of one currency, never signed."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

BPS = 10_000


class Purpose(enum.StrEnum):
    """What an account of the book is for. The table `settlement.funds_purposes` holds the same."""

    CLEARING_ACCOUNT = "CLEARING_ACCOUNT"
    """At the bank: what the clearing house keeps for participants, and the operator's share beside it."""
    OWN_ACCOUNT = "OWN_ACCOUNT"
    """At the bank: the operator's own money, which is nobody else's."""
    PREFUNDING = "PREFUNDING"
    """A participant's, to pay what it owes."""
    COLLATERAL = "COLLATERAL"
    """A participant's, against what it may come to owe."""
    GUARANTEE = "GUARANTEE"
    """A participant's part of the fund all stand in with for one another."""
    OPERATOR_LAYER = "OPERATOR_LAYER"
    """The operator's, on the clearing account, to stand in before the participants do."""
    OPERATOR_OWN = "OPERATOR_OWN"
    """The operator's, on its own account."""
    DEFAULT_COVER = "DEFAULT_COVER"
    """What was taken to stand in for a defaulter, until it is paid to those it owed."""
    LOSS_REPAID = "LOSS_REPAID"
    """A creditor's: what came back of what it bore of defaults, until it is paid to it."""
    LOSS_BORNE = "LOSS_BORNE"
    """A note, and no money: what a creditor bears of defaults and has not got back."""
    DEFAULT_CLAIM = "DEFAULT_CLAIM"
    """A note, and no money: what creditors bear of somebody's defaults and have not got back."""
    LOSS_WRITTEN_OFF = "LOSS_WRITTEN_OFF"
    """A note, and no money: what of its part in defaults nobody claims any more."""
    CLAIM_WRITTEN_OFF = "CLAIM_WRITTEN_OFF"
    """A note, and no money: what of a defaulter nobody claims any more."""


AT_BANK = frozenset({Purpose.CLEARING_ACCOUNT, Purpose.OWN_ACCOUNT})
"""What the clearing house has; everything else is what it owes to somebody, or a note."""
DEBITS_GROW = AT_BANK | {Purpose.LOSS_BORNE, Purpose.LOSS_WRITTEN_OFF}
"""Accounts that a debit makes more."""
NOTES = frozenset({Purpose.LOSS_BORNE, Purpose.DEFAULT_CLAIM, Purpose.LOSS_WRITTEN_OFF, Purpose.CLAIM_WRITTEN_OFF})
"""Accounts without money: what is borne, or written off, by some is what others owe, or owe no more."""
OF_PARTICIPANTS = (Purpose.PREFUNDING, Purpose.COLLATERAL, Purpose.GUARANTEE)
OF_OPERATOR = (Purpose.OPERATOR_LAYER, Purpose.OPERATOR_OWN)
OF_ANYBODY = (Purpose.LOSS_REPAID,)
"""Of participants and the operator alike."""
ONLY_TAKEN_FROM = frozenset({Purpose.DEFAULT_COVER, Purpose.LOSS_REPAID})
"""Filled by defaults and by what comes back of them; what is there leaves by withdrawals."""
COVERING = (Purpose.PREFUNDING, Purpose.COLLATERAL)
"""What covers a participant's exposure."""


class Account(NamedTuple):
    """An account of the book in one currency: whose, and what for."""

    participant: str
    purpose: Purpose


class Way(enum.StrEnum):
    """Why money is posted. The table `settlement.funds_ways` says from which account to which each may."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    DEFAULT = "DEFAULT"
    RECOVERY = "RECOVERY"
    ALLOCATION = "ALLOCATION"
    """A creditor bears a part of a default: a note."""
    RELIEF = "RELIEF"
    """It has got some of that back: a note."""
    WRITE_OFF = "WRITE_OFF"
    """What somebody bears is claimed no more: a note."""
    REVIVAL = "REVIVAL"
    """It came back all the same: a note."""


class Posting(NamedTuple):
    """So much debited to one account and credited to another."""

    way: Way
    currency: str
    debit: Account
    credit: Account
    minor_units: int


@dataclass(frozen=True, slots=True)
class FundsMovement:
    """Money that came to a bank account of the clearing house, or is to leave it.

    Attributes:
        way: deposit or withdrawal.
        participant: whose money; of a cover, the defaulter it stands in for.
        purpose: what it is for.
        currency: ISO 4217 code.
        minor_units: how much, above 0.
        reference: what the bank calls it; no two movements of a currency share one.
        value_date: the day the bank gives it.
    """

    way: Way
    participant: str
    purpose: Purpose
    currency: str
    minor_units: int
    reference: str
    value_date: date

    @property
    def name(self) -> str:
        """What is told when it is refused."""
        return f"merchants/{self.participant}/funds/{self.currency}/{self.purpose.lower()}"


class Liquidity(enum.StrEnum):
    """What it takes to approve a run whose payers have not enough with the clearing house."""

    SHOW = "SHOW"
    """Nothing: what is missing is shown."""
    ACKNOWLEDGE = "ACKNOWLEDGE"
    """Every checker says that he has seen it."""
    REFUSE = "REFUSE"
    """It is not approved."""


class Residual(enum.StrEnum):
    """Who bears what no layer holds."""

    OPEN = "OPEN"
    """Nobody yet: it is left open."""
    CREDITORS = "CREDITORS"
    """Those the run has still to pay, in proportion to what they are to receive: they are paid so much less."""


@dataclass(frozen=True, slots=True)
class CurrencyTerms:
    """What was agreed about funds in a currency.

    Attributes:
        currency: ISO 4217 code.
        liquidity: what a run takes whose payers have not enough.
        collateral_pays: whether collateral counts as money to pay with, besides prefunding.
        cap_bps: a participant's net debit cap as a share of its prefunding and collateral.
        cap_binds: whether the exchange holds everybody who ever left anything to that cap.
        contribution_cap_bps: how much of its guarantee contribution another participant may lose to one default.
        residual: who bears what is left.
    """

    currency: str
    liquidity: Liquidity = Liquidity.SHOW
    collateral_pays: bool = False
    cap_bps: int = BPS
    contribution_cap_bps: int = BPS
    residual: Residual = Residual.OPEN
    cap_binds: bool = False


@dataclass(frozen=True, slots=True)
class FundsTerms:
    """What was agreed about funds; by currency. One that is not named shows what is missing, and no more."""

    currencies: Sequence[CurrencyTerms] = ()

    def of(self, currency: str) -> CurrencyTerms:
        """The terms of a currency."""
        return next((one for one in self.currencies if one.currency == currency), CurrencyTerms(currency))


Book = Mapping[tuple[str, Account], int]
"""Balances by currency and account, each on its own side: what there is at a bank, what is owed to a participant."""


class Posted(NamedTuple):
    """A posting of the book, with who decided it."""

    posting_no: int
    proposal_id: UUID
    posting: Posting
    reference: str
    value_date: date
    at: datetime
    actor: str
    person: str


class Shortfall(NamedTuple):
    """Whose money does not reach for what a run has it pay, minor units."""

    participant: str
    to_pay: int
    available: int

    @property
    def missing(self) -> int:
        """How much does not."""
        return self.to_pay - self.available


@dataclass(frozen=True, slots=True)
class LiquidityCheck:
    """One currency of a run against the funds of those who pay.

    Attributes:
        currency: ISO 4217 code.
        demands: what the terms demand when something is missing.
        to_pay: the sum of what everybody pays more than it receives.
        settles_now: how much of the payments could be made at this moment, at most.
        payments: the sum of all payments, which `settles_now` is part of.
        shortfalls: whose money does not reach, by name.
    """

    currency: str
    demands: Liquidity
    to_pay: int
    payments: int
    settles_now: int
    shortfalls: Sequence[Shortfall]

    @property
    def missing(self) -> int:
        """How much does not reach in all."""
        return sum(one.missing for one in self.shortfalls)
