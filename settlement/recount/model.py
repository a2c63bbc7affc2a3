"""What a recount found. Everything here is a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class PairKey(NamedTuple):
    """A directed pair in a settlement currency."""

    currency: str
    debtor: str
    creditor: str


class Figures(NamedTuple):
    """What a pair owes in a window: exact micro-units, and how many obligations that is."""

    micros: int
    obligations: int


NOTHING = Figures(0, 0)


class Mismatch(NamedTuple):
    """A pair for which the run says another thing than the transfers."""

    pair: PairKey
    run: Figures
    transfers: Figures


@dataclass(frozen=True, slots=True)
class Counted:
    """What the transfers of a window sum to.

    Attributes:
        pairs: by directed pair, in name order.
        transfers: how many transfers left anything owing.
    """

    pairs: Mapping[PairKey, Figures]
    transfers: int

    @property
    def obligations(self) -> int:
        """How many obligations they left."""
        return sum(figures.obligations for figures in self.pairs.values())


@dataclass(frozen=True, slots=True)
class Recount:
    """A recount that was kept.

    Attributes:
        run_id: of which run.
        window_no: of which window the transfers were counted.
        run_digest: the run's result it was held against.
        counted: what was counted.
        digest: SHA-256 of the written form of what was counted.
        mismatches: where the two differ, in the order of the pairs.
        at: when it was kept.
        actor: who asked for it.
    """

    run_id: UUID
    window_no: int
    run_digest: str
    counted: Counted
    digest: str
    mismatches: Sequence[Mismatch]
    at: datetime
    actor: str

    @property
    def passed(self) -> bool:
        """Whether the run says exactly what the transfers say."""
        return not self.mismatches
