"""The journal as a report: a row for each posting."""

from __future__ import annotations

from collections.abc import Sequence

from settlement.journal.model import JournalEntry, PaymentEvent
from settlement.journal.rules import journal_of
from settlement.reports.figures import CURRENCY
from settlement.reports.model import Cell, Column, Kind, Report, Table
from settlement.reports.settled import SettledWindow

COLUMNS = (
    Column("external_id", "External id"),
    Column("on", "Day", Kind.DAY),
    Column("entity", "Books of"),
    CURRENCY,
    Column("text", "What"),
    Column("account", "Account"),
    Column("debit", "Debit", Kind.MONEY),
    Column("credit", "Credit", Kind.MONEY),
)


def journal(settled: SettledWindow, events: Sequence[PaymentEvent]) -> Report:
    """Every posting of a window and of what banks booked of it so far; earlier rows never change."""
    entries = journal_of(settled, events)
    rows = [row for entry in entries for row in _rows(entry)]
    return Report(
        name="journal",
        title="Journal",
        about=settled.about,
        as_of=settled.closed_at,
        tables=[Table("postings", "Postings", COLUMNS, rows)],
        notes=["An external id names the same entry for ever: import a journal again and take what is new."],
    )


def _rows(entry: JournalEntry) -> list[Sequence[Cell]]:
    head = (entry.external_id, entry.on, entry.entity, entry.currency, entry.text)
    return [[*head, p.account, p.debit or None, p.credit or None] for p in entry.postings]
