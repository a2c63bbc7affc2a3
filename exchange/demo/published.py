"""The table of published transfer rates that the demo's coalition is built from."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange.money.currencies import micros_per_minor

PUBLISHED_RATES = Path(__file__).resolve().parents[2] / "examples" / "published_rates.csv"
SETTLEMENT_CURRENCY = "USD"
"""What the table's fees are in, and so what the demo's coalition settles in."""


class BadRates(Exception):
    """The table cannot be used; the text names the line."""


@dataclass(frozen=True, slots=True)
class Programme:
    """A loyalty programme: its points currency's code, which is its merchant's id too, and what people call it."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """A version of a pair: `source_units` become `target_units`, from `begins` until before `ends` (whole days).

    Limits, bonus and fees of 0 are none; fees are micro-units of the settlement currency.
    """

    source: Programme
    target: Programme
    source_units: int
    target_units: int
    block: int
    minimum: int
    bonus_every: int
    bonus_points: int
    fee_per_point: int
    fee_cap: int
    begins: date
    ends: date | None
    note: str

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.begins <= day and (self.ends is None or day < self.ends)

    def converted(self, units: int) -> tuple[int, int]:
        """Points used and received for `units` asked: blocks first, then floored, then only what that needs is used.

        Counted here from the published table alone, so that it checks what the server answers.
        """
        whole_blocks = units // self.block * self.block
        received = whole_blocks * self.target_units // self.source_units
        used = -(-received * self.source_units // self.target_units)
        bonus = used // self.bonus_every * self.bonus_points if self.bonus_every else 0
        return used, received + bonus


def read_published(file: Path) -> tuple[PublishedRate, ...]:
    """The rows of the table, in its order.

    Raises:
        BadRates: a row does not read; names its line.
        OSError: the file cannot be read.
    """
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        try:
            return tuple(_rate(row) for row in rows)
        except (KeyError, ValueError) as error:
            raise BadRates(f"{file}, line {rows.line_num}: {error}") from error


def programmes(rates: Sequence[PublishedRate]) -> dict[str, Programme]:
    """Every programme of the table, by code, in order of appearance."""
    return {programme.code: programme for rate in rates for programme in (rate.source, rate.target)}


def _rate(row: Mapping[str, str]) -> PublishedRate:
    fee_currency = row["fee_currency"]
    if fee_currency not in {"", SETTLEMENT_CURRENCY}:
        raise ValueError(f"fees in {fee_currency}; this coalition settles in {SETTLEMENT_CURRENCY}")
    return PublishedRate(
        source=Programme(row["source_currency"], row["source_programme"]),
        target=Programme(row["target_currency"], row["target_programme"]),
        source_units=int(row["source_points"]),
        target_units=int(row["target_points"]),
        block=int(row["block"] or 1),
        minimum=int(row["minimum"] or 0),
        bonus_every=int(row["bonus_every"] or 0),
        bonus_points=int(row["bonus_points"] or 0),
        fee_per_point=int(row["fee_micros_per_point"] or 0),
        fee_cap=int(row["fee_cap_minor"] or 0) * micros_per_minor(SETTLEMENT_CURRENCY),
        begins=date.fromisoformat(row["effective_from"]),
        ends=date.fromisoformat(row["effective_until"]) if row["effective_until"] else None,
        note=row["note"],
    )
