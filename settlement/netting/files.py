"""Obligations from a CSV file: debtor,creditor,currency,amount and optionally id,held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from settlement.csv_rows import CsvRows
from settlement.netting.model import Gross, Obligation
from settlement.netting.tally import Tally

REQUIRED = ("debtor", "creditor", "currency", "amount")
OPTIONAL = ("id", "held")

Row = tuple[str, str, str, int, str, bool]
"""debtor, creditor, currency, amount, id, held."""


def read_gross(text: IO[str], file: str) -> dict[str, Gross]:
    """Sum a file by currency and directed pair while reading it; only pairs and ids are kept in memory.

    Raises:
        BadFile: at the first row that cannot be taken; nothing is computed then.
    """
    totals = Tally()
    for debtor, creditor, currency, amount, _, held in _rows(text, file):
        totals.add(debtor, creditor, currency, amount, held=held)
    return totals.by_currency()


def read_obligations(text: IO[str], file: str) -> list[Obligation]:
    """Every row as an obligation, in file order; one without an id gets its number in the file, from 1, as its id.

    Raises:
        BadFile: at the first row that cannot be taken, also when such a number is another row's id.
    """
    return [Obligation(*row) for row in _rows(text, file, numbered=True)]


def _rows(text: IO[str], file: str, *, numbered: bool = False) -> Iterator[Row]:
    rows = CsvRows(text, file, REQUIRED, OPTIONAL)
    seen: set[str] = set()
    for number, (debtor, creditor, currency, amount, given, held) in enumerate(rows, start=1):
        if debtor == creditor and debtor:
            raise rows.bad("creditor", f"{creditor!r} cannot owe itself")
        item = rows.id(given) if given or not numbered else str(number)
        if item:
            if item in seen:
                raise rows.bad(
                    "id", f"{item!r} is the id of an earlier row" + ("" if given else " (this row has none)")
                )
            seen.add(item)
        yield (
            rows.name(debtor, "debtor"),
            rows.name(creditor, "creditor"),
            rows.currency(currency),
            rows.amount(amount, "amount", least=1),
            item,
            rows.flag(held, "held") if held else False,
        )
