"""The detail file of a statement: every obligation of a participant in a window, streamed from the ledger as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from exchange.db.engine import Database
from settlement import exchange_directory, exchange_ledger
from settlement.exchange_ledger import Entry, kind_name
from settlement.reports.formats.cells import plain
from settlement.reports.model import Cell, Column, Kind

ROWS_AT_ONCE = 1_000
COLUMNS = (
    Column("transfer", "Transfer"),
    Column("ledger_sequence", "Place", Kind.WHOLE),
    Column("occurred", "When"),
    Column("line", "Line"),
    Column("counterparty", "Other side"),
    Column("currency", "Currency"),
    Column("receivable", "Receivable", Kind.MICROS),
    Column("payable", "Payable", Kind.MICROS),
    Column("points", "Points", Kind.WHOLE),
    Column("price", "Price", Kind.MICROS),
)


async def detail(database: Database, window_no: int, participant: str) -> AsyncIterator[str]:
    """CSV text piece by piece, in ledger order; `line` is the statement's, amounts are exact, six places.

    Memory does not grow with the window. One snapshot of a closed window is like any other: it never changes.

    Raises:
        ResourceNotFound: there is no such window or nobody of that id.
        WindowState: the window is still open.
    """
    yield _written([[column.key for column in COLUMNS]])
    after = (0, 0)
    async with database.read() as connection:
        await exchange_ledger.require_closed(connection, window_no, "window")
        await exchange_directory.require_merchant(connection, participant, "merchant")
        while True:
            entries = await exchange_ledger.entries(
                connection, window_no, debtor=None, creditor=None, party=participant, after=after, limit=ROWS_AT_ONCE
            )
            yield _written([_row(entry, participant) for entry in entries])
            if len(entries) < ROWS_AT_ONCE:
                return
            after = (entries[-1].ledger_sequence, entries[-1].position)


def _row(entry: Entry, participant: str) -> list[str]:
    is_creditor = entry.creditor == participant
    cells: list[Cell] = [
        f"transfers/{entry.transfer_id}",
        entry.ledger_sequence,
        entry.occurred_at.isoformat(),
        kind_name(entry.kind),
        entry.debtor if is_creditor else entry.creditor,
        entry.currency,
        entry.micros if is_creditor else None,
        None if is_creditor else entry.micros,
        entry.points_units,
        entry.price_micros,
    ]
    return [plain(cell, column, entry.currency) for cell, column in zip(cells, COLUMNS, strict=True)]


def _written(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
