"""What was held out for disputes and what was adjusted in a window, as tables. Pure; without any there is no table."""

from __future__ import annotations

from collections.abc import Sequence

from settlement.reports.model import Cell, Column, Kind, Table
from settlement.reports.settled import SettledWindow

CURRENCY = Column("currency", "Currency")
PAIR = (Column("debtor", "Debtor"), Column("creditor", "Creditor"))
AMOUNT = Column("amount", "Amount", Kind.MONEY)
HELD_OUT = (
    CURRENCY,
    *PAIR,
    Column("dispute", "Dispute"),
    Column("since_window", "Since window", Kind.WHOLE),
    AMOUNT,
)
ADJUSTED = (
    CURRENCY,
    *PAIR,
    Column("cause", "Because"),
    Column("adjustment", "Adjustment"),
    Column("dispute", "Dispute"),
    Column("transfer", "Transfer"),
    AMOUNT,
)


def tables(settled: SettledWindow, participant: str | None = None) -> list[Table]:
    """Tables of held-out and of adjusted amounts, of a participant or of all; a table without rows is left out."""
    found = (
        Table("disputed", "Held out for disputes", HELD_OUT, _held_out(settled, participant)),
        Table("adjustments", "Adjustments", ADJUSTED, _adjusted(settled, participant)),
    )
    return [table for table in found if table.rows]


def _held_out(settled: SettledWindow, participant: str | None) -> list[Sequence[Cell]]:
    return [
        [one.currency, item.debtor, item.creditor, f"disputes/{item.dispute}", item.since_window, item.amount]
        for one in settled.run.result
        for item in one.held_items
        if item.dispute and participant in (None, item.debtor, item.creditor)
    ]


def _adjusted(settled: SettledWindow, participant: str | None) -> list[Sequence[Cell]]:
    return [
        [
            one.currency,
            one.debtor,
            one.creditor,
            one.cause,
            f"settlementAdjustments/{one.adjustment}",
            f"disputes/{one.dispute}" if one.dispute else None,
            f"transfers/{one.transfer}" if one.transfer else None,
            one.amount,
        ]
        for one in sorted(settled.run.configuration.disputed.adjustments, key=lambda one: (one.currency, one))
        if participant in (None, one.debtor, one.creditor)
    ]
