"""Counting what the exchange answered, from its answers alone, so that it can be held against plan and settlement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from exchange.client.settlement import Pair, short
from exchange.demo.model import DONE, REPLAYED, Planned
from exchange.demo.published import SETTLEMENT_CURRENCY, PublishedRate
from exchange.demo.traffic import Answer
from exchange.v1 import types_pb2 as types

OPS = ("earn", "redeem", "discount", "convert")
_SURPRISES_KEPT = 20


@dataclass(slots=True)
class Volume:
    """One kind of movement: how many were made, over how many points, replayed, and refused by reason.

    Points of conversions are those used at the source. Replays and refusals move none.
    """

    done: int = 0
    points: int = 0
    replayed: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        """How many were asked for."""
        return self.done + self.replayed + self.refused.total()


@dataclass(slots=True)
class Conversions:
    """What was converted at one version of a rate."""

    count: int = 0
    used: int = 0
    received: int = 0


@dataclass(slots=True)
class Tally:
    """Adds up answers.

    Attributes:
        volumes: by kind of movement.
        conversions: by the rate's place in the published table.
        owed: micro-units by (debtor, creditor), from the obligations in the answers.
        obligations: how many of those.
        surprises: sentences on answers that were not the plan's, the first few.
        surprised: how many such answers there were.
    """

    rates: Sequence[PublishedRate]
    volumes: dict[str, Volume] = field(default_factory=lambda: {op: Volume() for op in OPS})
    conversions: dict[int, Conversions] = field(default_factory=dict)
    owed: Counter[Pair] = field(default_factory=Counter)
    obligations: int = 0
    surprises: list[str] = field(default_factory=list)
    surprised: int = 0

    @property
    def answered(self) -> int:
        """How many movements have been answered."""
        return sum(volume.asked for volume in self.volumes.values())

    def add(self, planned: Planned, answer: Answer) -> None:
        """Count one answer and hold it against the plan."""
        volume = self.volumes[planned.op]
        transfer = answer.transfer
        if transfer is None:
            volume.refused[answer.reason] += 1
            self._compare(planned, answer.reason, answer.message)
        elif answer.replayed:
            volume.replayed += 1
            self._compare(planned, REPLAYED, transfer.name)
        else:
            volume.done += 1
            volume.points += planned.used or planned.units
            self._compare(planned, DONE, transfer.name)
            self._owe(transfer)
        if transfer is not None and planned.rate >= 0:
            self._convert(planned, transfer, answer)

    def _compare(self, planned: Planned, got: str, message: str) -> None:
        if got != planned.expected:
            self._surprise(planned, f"expected {planned.expected}, got {got} ({message})")

    def _convert(self, planned: Planned, transfer: types.Transfer, answer: Answer) -> None:
        figures = transfer.used.units, transfer.received.units
        if figures != (planned.used, planned.received):
            self._surprise(planned, f"expected {planned.used} used, {planned.received} received, got {figures}")
        if not answer.replayed:
            conversions = self.conversions.setdefault(planned.rate, Conversions())
            conversions.count += 1
            conversions.used += figures[0]
            conversions.received += figures[1]

    def _owe(self, transfer: types.Transfer) -> None:
        for obligation in transfer.obligations:
            assert obligation.amount.currency_code == SETTLEMENT_CURRENCY, "the coalition settles in one currency"
            self.owed[short(obligation.debtor), short(obligation.creditor)] += obligation.amount.micros
            self.obligations += 1

    def _surprise(self, planned: Planned, what: str) -> None:
        self.surprised += 1
        if len(self.surprises) < _SURPRISES_KEPT:
            self.surprises.append(f"{planned.request_id} {planned.op} at {planned.merchant}: {what}")
