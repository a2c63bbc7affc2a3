"""What limits there are, as of one version of the directory. Immutable; how far each is used stands in rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.ledger.quotas import PointsLimit
from exchange.serving.quotas import CallQuota


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of the coalition.

    Attributes:
        capped: merchants with a net debit cap, by number, each with the settlement currency.
        points: most points on a day, by number of the currencies that have such limits.
        calls: how often merchants may call one server process, by number of those with a quota.
    """

    capped: frozenset[tuple[int, str]] = frozenset()
    points: Mapping[int, PointsLimit] = field(default_factory=dict)
    calls: Mapping[int, CallQuota] = field(default_factory=dict)


class Position(NamedTuple):
    """A capped merchant (净借记限额) as it stands: micro-units of a settlement currency.

    Attributes:
        cap_micros: most it may owe, net, by movements that somebody asks for.
        payable_micros: everything it ever came to owe.
        receivable_micros: everything it was ever owed, and what it has paid.
        reserved_micros: what it will owe when all points on hold are captured.
    """

    merchant_no: int
    merchant_id: str
    currency_code: str
    cap_micros: int
    payable_micros: int
    receivable_micros: int
    reserved_micros: int

    @property
    def owed_micros(self) -> int:
        """What it owes all others together, 0 when they owe it."""
        return max(0, self.payable_micros - self.receivable_micros)

    @property
    def due_micros(self) -> int:
        """What all others together owe it, 0 when it owes them."""
        return max(0, self.receivable_micros - self.payable_micros)

    @property
    def headroom_micros(self) -> int:
        """How much more it may come to owe; 0 when the cap is reached, or was set below what it owed."""
        return max(0, self.cap_micros + self.receivable_micros - self.payable_micros - self.reserved_micros)


NO_LIMITS = Limits()
