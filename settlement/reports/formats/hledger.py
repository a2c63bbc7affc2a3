"""A journal for hledger: accounts and commodities declared, so that `hledger check --strict` takes it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from exchange.money.currencies import MINOR_EXPONENT
from settlement.reports.formats.cells import plain
from settlement.reports.model import Cell, Report, Table

_TYPES = {"assets": "A", "liabilities": "L", "expenses": "X", "revenues": "R"}


def render(report: Report) -> bytes:
    """UTF-8 text; an entry's external id is its code, each entity's accounts stand under its name."""
    (table,) = (table for table in report.tables if table.name == "postings")
    lines = [f"; {title}: {value}" for _, title, value in report.about]
    lines += ["", *_declarations(table)]
    by_day = sorted(table.rows, key=lambda row: str(_cell(table, row, "on")))
    for name, rows in groupby(by_day, key=lambda row: str(_cell(table, row, "external_id"))):
        lines += ["", *_entry(table, name, list(rows))]
    return ("\n".join(lines) + "\n").encode()


def _declarations(table: Table) -> list[str]:
    codes = sorted({table.currency_of(row) for row in table.rows})
    lines = [f"commodity {code} 1000.{'0' * MINOR_EXPONENT[code]}" for code in codes]
    accounts = sorted({_account(table, row) for row in table.rows})
    return lines + [f"account {account}  ; type:{_TYPES[account.split(':')[1]]}" for account in accounts]


def _entry(table: Table, name: str, rows: Sequence[Sequence[Cell]]) -> list[str]:
    first = rows[0]
    lines = [f"{_cell(table, first, 'on')} * ({name}) {_cell(table, first, 'text')}"]
    return lines + [f"    {_account(table, row)}  {_amount(table, row)}" for row in rows]


def _amount(table: Table, row: Sequence[Cell]) -> str:
    currency = table.currency_of(row)
    debit, credit = (_cell(table, row, side) for side in ("debit", "credit"))
    column = table.columns[table.keys.index("debit")]
    sign, amount = ("", debit) if credit is None else ("-", credit)
    return f"{currency} {sign}{plain(amount, column, currency)}"


def _account(table: Table, row: Sequence[Cell]) -> str:
    return f"{_cell(table, row, 'entity')}:{_cell(table, row, 'account')}"


def _cell(table: Table, row: Sequence[Cell], key: str) -> Cell:
    return row[table.keys.index(key)]
