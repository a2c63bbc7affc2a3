"""How long what is not paid has been waiting, in the buckets finance reads. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from settlement.run.carrying import Age
from settlement.run.model import CarryFigures, CurrencyResult

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
OLDEST = "over 90"
"""Names of the buckets, in days."""


class Waiting(NamedTuple):
    """An item that waits, with its age on a day."""

    currency: str
    item: CarryFigures
    days: int

    @property
    def bucket(self) -> str:
        """Which column of the report it stands in."""
        return next((name for days_max, name in BUCKETS if self.days <= days_max), OLDEST)


def waiting(result: Sequence[CurrencyResult], on: date) -> list[Waiting]:
    """Everything a run leaves unpaid, carried or held, with its age on a day; currencies by code, the oldest first."""
    return [
        Waiting(one.currency, item, Age(item.since_window, item.since).days(on))
        for one in result
        for item in sorted((*one.carried, *one.held_items), key=lambda item: (item.since_window, item))
    ]


def by_bucket(items: Sequence[Waiting]) -> dict[str, dict[str, int]]:
    """Sums by currency and bucket, every bucket named."""
    found: dict[str, dict[str, int]] = {}
    for one in items:
        row = found.setdefault(one.currency, {name: 0 for _, name in (*BUCKETS, (0, OLDEST))})
        row[one.bucket] += one.item.amount
    return found
