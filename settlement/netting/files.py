"""Obligations from a CSV file: debtor,creditor,currency,amount and optionally id,held."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import IO

from settlement.csv_rows import CsvRows
from settlement.fx.into_one import Item
from settlement.netting.model import Gross, Obligation
from settlement.netting.tally import Tally

REQUIRED = ("debtor", "creditor", "currency", "amount")
OPTIONAL = ("id", "held")

Row = tuple[str, str, str, bool, int, str]
"""debtor, creditor, currency, held, amount, id."""


def read_gross(text: IO[str], file: str, excluded: Collection[str] = ()) -> dict[str, Gross]:
    """Sum a file by currency and directed pair while reading it; only pairs and ids are kept in memory.

    excluded: whose items are all held, whatever the file says of them.

    Raises:
        BadFile: at the first row that cannot be taken; nothing is computed then.
    """
    tally = Tally()
    for debtor, creditor, currency, held, amount, _ in _rows(text, file):
        tally.add(debtor, creditor, currency, amount, held=held or debtor in excluded or creditor in excluded)
    return tally.by_currency()


def read_obligations(text: IO[str], file: str) -> list[Obligation]:
    """Every row as an obligation, in file order; one without an id gets its number in the file, from 1, as its id.

    Raises:
        BadFile: at the first row that cannot be taken, also when such a number is another row's id.
    """
    return [
        Obligation(debtor, creditor, currency, amount, item, held)
        for debtor, creditor, currency, held, amount, item in _rows(text, file, numbered=True)
    ]


def read_items(text: IO[str], file: str, excluded: Collection[str] = ()) -> Iterator[Item]:
    """Every row as an item of a window of several currencies, in file order, one at a time.

    excluded: whose items are all held, whatever the file says of them.

    Raises:
        BadFile: while iterating, at the first row that cannot be taken.
    """
    for debtor, creditor, currency, held, amount, _ in _rows(text, file):
        yield Item(debtor, creditor, currency, amount, held or debtor in excluded or creditor in excluded)


def _rows(text: IO[str], file: str, *, numbered: bool = False) -> Iterator[Row]:
    rows = CsvRows(text, file, REQUIRED, OPTIONAL)
    # A window has many rows and few names: each spelling is checked once, and all its rows share one string, which
    # keeps the sums by pair quick to find.
    names: dict[str, str] = {}
    currencies: dict[str, str] = {}
    flags: dict[str, bool] = {}
    seen: set[str] = set()
    for number, (debtor, creditor, currency, amount, given, held) in enumerate(rows, start=1):
        if debtor not in names:
            names[debtor] = rows.name(debtor, "debtor")
        if creditor not in names:
            names[creditor] = rows.name(creditor, "creditor")
        if names[debtor] == names[creditor]:
            raise rows.bad("creditor", f"{names[creditor]!r} cannot owe itself")
        if currency not in currencies:
            currencies[currency] = rows.currency(currency)
        if held not in flags:
            flags[held] = rows.flag(held, "held")
        item = rows.id(given) if given else ""
        if numbered and not item:
            item = str(number)
        if item in seen:
            raise rows.bad("id", f"{item!r} is the id of an earlier row" + ("" if given else " (this row has none)"))
        if item:
            seen.add(item)
        yield (
            names[debtor],
            names[creditor],
            currencies[currency],
            flags[held],
            rows.amount(amount, "amount", least=1),
            item,
        )
