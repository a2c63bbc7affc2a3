"""What a run takes and gives. Everything here is a value: the same values give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from settlement.run.life import Life

DEFAULT_MODE = "multilateral"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was asked: a netting mode by its registry name, and the smallest payment by currency, in minor units."""

    mode: str = DEFAULT_MODE
    minimums: Mapping[str, int] = field(default_factory=dict)


class PairFigures(NamedTuple):
    """A directed pair in a window: exact micro-units, and minor units after the one rounding.

    `gross` includes what was carried in; `net` is what is left after set-off by pair, in the direction it is left in.
    """

    debtor: str
    creditor: str
    micros: int
    gross: int
    carried_in: int
    net: int
    obligations: int


class Position(NamedTuple):
    """A participant's figures, minor units. `carried` is the part of |net| that waits for the next window."""

    participant: str
    receivable: int
    payable: int
    carried: int


class PaymentFigures(NamedTuple):
    """Money to move now, minor units."""

    payer: str
    payee: str
    amount: int


class CarryFigures(NamedTuple):
    """What a participant still owes another in the next window, minor units."""

    debtor: str
    creditor: str
    amount: int


@dataclass(frozen=True, slots=True)
class CurrencyResult:
    """One currency of a run."""

    currency: str
    gross: int
    bilateral: int
    net: int
    paid: int
    obligations: int
    pairs: Sequence[PairFigures]
    positions: Sequence[Position]
    payments: Sequence[PaymentFigures]
    carried: Sequence[CarryFigures]


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. `digest` is the SHA-256 of its canonical result, which `result` was read from.

    `before_run`: the run of the window before, whose carried items came in.
    """

    run_id: UUID
    window_no: int
    configuration: Configuration
    digest: str
    created_at: datetime
    created_by: str
    result: Sequence[CurrencyResult]
    life: Life
    before_run: UUID | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"runs/{self.run_id}"

    @property
    def etag(self) -> str:
        """A mark of what has happened to it so far."""
        return self.life.etag(self.run_id)
