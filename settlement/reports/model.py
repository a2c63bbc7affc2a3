"""A report before it has a format: what it is about, tables of plain values, perhaps a chart. Values only."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, TypeAlias


class Kind(enum.Enum):
    """What a column holds. MONEY: minor units of the row's currency. MICROS: micro-units of it."""

    TEXT = enum.auto()
    WHOLE = enum.auto()
    MONEY = enum.auto()
    MICROS = enum.auto()
    DAY = enum.auto()


Cell: TypeAlias = "str | int | date | None"
CURRENCY = "currency"
"""Key of the column that says in which currency a row's amounts are."""


class Column(NamedTuple):
    """A column: its key for programs, its title for people."""

    key: str
    title: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells in the order of the columns. A cell of None is empty.

    Attributes:
        name: for programs, "positions".
        title: for people.
        columns: one of them with key "currency" where any holds money.
        rows: in the order they are shown.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), f"a row of {self.name} has other columns"
        money = any(column.kind in {Kind.MONEY, Kind.MICROS} for column in self.columns)
        assert not money or CURRENCY in self.keys, f"{self.name} has amounts without a currency"

    @property
    def keys(self) -> list[str]:
        """The columns' keys."""
        return [column.key for column in self.columns]

    def currency_of(self, row: Sequence[Cell]) -> str:
        """In which currency a row's amounts are."""
        return str(row[self.keys.index(CURRENCY)])


class Bar(NamedTuple):
    """What somebody receives and pays, minor units; one of the two is 0."""

    label: str
    receives: int
    pays: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Who receives and who pays how much, in one currency."""

    title: str
    currency: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        name: for programs and file names, "settlement-summary".
        title: for people.
        about: (key, title, value) of what it is about, in order.
        as_of: the instant that stands in files instead of the clock.
        tables: in order.
        charts: in order; formats without pictures leave them out.
        notes: sentences for whoever reads it.
    """

    name: str
    title: str
    about: Sequence[tuple[str, str, str]]
    as_of: datetime
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()
    notes: Sequence[str] = ()
