"""Cells as text: exact, with the places of their currency, and nothing a spreadsheet would run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from exchange.money.currencies import MINOR_EXPONENT
from settlement.reports.model import Cell, Column, Kind, Table

_FORMULA = "=+-@\t\r"
_MICRO_PLACES = 6


def plain(cell: Cell, column: Column, currency: str) -> str:
    """For programs: 131755 fen are 1317.55. Empty for an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int):
        return _decimal(cell, places(column, currency))
    return f"'{cell}" if cell[:1] in tuple(_FORMULA) else cell


def pretty(cell: Cell, column: Column, currency: str) -> str:
    """For people: 131755 fen are 1,317.55."""
    if not isinstance(cell, int):
        return "" if cell is None else cell if isinstance(cell, str) else cell.isoformat()
    whole, _, rest = _decimal(cell, places(column, currency)).partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")


def places(column: Column, currency: str) -> int:
    """Decimal places of a column's figures."""
    if column.kind is Kind.MONEY:
        return MINOR_EXPONENT[currency]
    return _MICRO_PLACES if column.kind is Kind.MICROS else 0


def shown(table: Table) -> list[list[str]]:
    """A table's cells for people."""
    return [_row(table, row) for row in table.rows]


def _row(table: Table, row: Sequence[Cell]) -> list[str]:
    currency = table.currency_of(row) if "currency" in table.keys else ""
    return [pretty(cell, column, currency) for cell, column in zip(row, table.columns, strict=True)]


def _decimal(amount: int, count: int) -> str:
    assert amount >= 0, "who owes is named, never told by a sign"
    whole, rest = divmod(amount, 10**count)
    return f"{whole}.{rest:0{count}}" if count else str(whole)
