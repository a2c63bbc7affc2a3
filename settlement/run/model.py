"""What a run takes and gives. Everything here is a value: the same values give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from settlement.fx.model import Converted, FxTerms
from settlement.run.legal import LegalModel
from settlement.run.life import Life

DEFAULT_MODE = "multilateral"


class HeldOut(NamedTuple):
    """What a dispute keeps out of netting of what this window's transfers left owing, minor units."""

    dispute: str
    debtor: str
    creditor: str
    currency: str
    amount: int


class Adjusted(NamedTuple):
    """What a debtor owes a creditor in this window beside what transfers say, minor units.

    Attributes:
        adjustment: its id.
        cause: "upheld": a dispute won it back; "overtaken": a reversal gave back what a dispute had won; "agreed".
        dispute: the dispute behind it; empty: none.
        transfer: the transfer behind that; empty: none.
    """

    adjustment: str
    debtor: str
    creditor: str
    currency: str
    amount: int
    cause: str
    dispute: str = ""
    transfer: str = ""


@dataclass(frozen=True, slots=True)
class Disputed:
    """What disputes and adjustments make of a window.

    Attributes:
        held_out: of this window's own obligations, by dispute.
        released: disputes that ended while this window was open: what was held for them is netted in it; by id.
        adjustments: by id.
    """

    held_out: tuple[HeldOut, ...] = ()
    released: tuple[str, ...] = ()
    adjustments: tuple[Adjusted, ...] = ()


UNDISPUTED = Disputed()


class Chosen(NamedTuple):
    """Held items of one participant that enter netting again, while its others stay held; what is left out is any.

    Attributes:
        participant: for whose sake they are held.
        currency: ISO 4217 code; empty: any.
        debtor: who owes; empty: anybody.
        creditor: whom; empty: anybody.
        since_window: the window in which they were first left unpaid; 0: any.
        at_least: items of so many minor units and more; 0: any.
        at_most: items of so many and less; 0: any.
    """

    participant: str
    currency: str = ""
    debtor: str = ""
    creditor: str = ""
    since_window: int = 0
    at_least: int = 0
    at_most: int = 0

    def names(self, currency: str, item: CarryFigures) -> bool:
        """Whether an item is one of them."""
        return (
            self.currency in ("", currency)
            and self.debtor in ("", item.debtor)
            and self.creditor in ("", item.creditor)
            and self.since_window in (0, item.since_window)
            and self.at_least <= item.amount
            and (self.at_most == 0 or item.amount <= self.at_most)
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was asked.

    Attributes:
        mode: a netting mode by its registry name.
        legal_model: what the netting is in law.
        minimums: the smallest payment by currency, in minor units; what is below is carried.
        maximum_carry_days: by currency, after how many days what is carried is paid however small; none: never.
        excluded: participants whose obligations are shown and held, not netted; in name order.
        released: participants for whose sake items were held that enter netting again; in name order.
        chosen: items of others that enter netting again; in order.
        suspended: of those excluded, who was suspended in the exchange when the run was made, as the terms say.
        waiting: currencies without a cut-off in this window: everything in them waits for the next; by code.
        pay_dates: by currency, the day the payments are made.
        fx: how positions of participants who chose a currency are converted into it; None: nothing is.
        disputed: what disputes and adjustments make of it.
    """

    mode: str = DEFAULT_MODE
    legal_model: LegalModel = LegalModel.NOVATION
    minimums: Mapping[str, int] = field(default_factory=dict)
    maximum_carry_days: Mapping[str, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    suspended: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    pay_dates: Mapping[str, date] = field(default_factory=dict)
    fx: FxTerms | None = None
    disputed: Disputed = UNDISPUTED


class PairFigures(NamedTuple):
    """A directed pair in a window: exact micro-units, and minor units after the one rounding.

    `gross` includes what came in carried or held, and what was adjusted; `held` is the part of it that takes no part in
    netting. `net` is what is left of the rest after set-off by pair, in the direction it is left in.
    """

    debtor: str
    creditor: str
    micros: int
    gross: int
    carried_in: int
    net: int
    obligations: int
    held_in: int = 0
    held: int = 0
    adjusted: int = 0

    @property
    def arisen(self) -> int:
        """What this window's obligations come to in whole minor units."""
        return self.gross - self.carried_in - self.held_in - self.adjusted


class Position(NamedTuple):
    """A participant's figures, minor units; what is held for or against it stands beside and not in them.

    `carried` is the part of |net| that waits for the next window.
    """

    participant: str
    receivable: int
    payable: int
    carried: int
    held_receivable: int = 0
    held_payable: int = 0


class PaymentFigures(NamedTuple):
    """Money to move now, minor units."""

    payer: str
    payee: str
    amount: int


class CarryFigures(NamedTuple):
    """An item of a pair: it leaves one window and enters the next, minor units.

    Attributes:
        debtor: who still owes.
        creditor: whom.
        amount: how much.
        since_window: the window in which it was first left unpaid.
        since: the day that window was cut off, ISO 8601.
        because: "minimum": too small to pay; "not_due": its currency had no cut-off; "excluded": a party is;
            "disputed": a dispute keeps it out.
        parties: of a held item, for whose sake it is held.
        dispute: of a disputed item, the dispute's id; it is held for its parties' sake besides.
    """

    debtor: str
    creditor: str
    amount: int
    since_window: int
    since: str
    because: str
    parties: Sequence[str] = ()
    dispute: str = ""


class ResidueFigures(NamedTuple):
    """What the rounding of a pair leaves the debtor owing the creditor, micro-units: it goes to the residue account."""

    debtor: str
    creditor: str
    micros: int


class ExchangeLeg(NamedTuple):
    """One side of a conversion, minor units: it stands beside the pairs' obligations and is netted with them.

    Attributes:
        debtor: the participant whose position is converted, or the operator, who stands opposite.
        creditor: the other of the two.
        amount: how much.
        other_currency: what it was converted into, or from.
        because: "converted_out": the position leaves this currency; "converted_in": it comes in, rounded once;
            "fx_difference": by how much the sum of its items, each rounded, differs from that.
    """

    debtor: str
    creditor: str
    amount: int
    other_currency: str
    because: str


@dataclass(frozen=True, slots=True)
class CurrencyResult:
    """One currency of a run. `certificate` proves a set-off maximal, as in `netting.model.SetOff`; else it is empty.

    `gross`, `held`, `bilateral` and `pairs` are what is owed; `net`, `paid`, `positions`, `payments` and `carried` are
    after conversion, whose `legs` are told apart. `converted`: positions that were converted out of this currency.
    """

    currency: str
    gross: int
    held: int
    bilateral: int
    net: int
    paid: int
    obligations: int
    pay_date: str | None
    pairs: Sequence[PairFigures]
    positions: Sequence[Position]
    payments: Sequence[PaymentFigures]
    carried_in: Sequence[CarryFigures]
    carried: Sequence[CarryFigures]
    held_in: Sequence[CarryFigures]
    held_items: Sequence[CarryFigures]
    residue: Sequence[ResidueFigures]
    certificate: Mapping[str, int]
    converted: Sequence[Converted] = ()
    legs: Sequence[ExchangeLeg] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. `digest` is the SHA-256 of its canonical result, which `result` was read from.

    `closed_on`: the day its window was cut off, in the coalition's time zone. `before_run`: the run of the window
    before, whose carried and held items came in.
    """

    run_id: UUID
    window_no: int
    configuration: Configuration
    digest: str
    created_at: datetime
    created_by: str
    result: Sequence[CurrencyResult]
    life: Life
    closed_on: date
    before_run: UUID | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"runs/{self.run_id}"

    @property
    def etag(self) -> str:
        """A mark of what has happened to it so far."""
        return self.life.etag(self.run_id)
