"""What statements say of defaults: what a creditor bears, and is paid less. Pure."""

from __future__ import annotations

from settlement.reports.model import Cell, Column, Kind, Table
from settlement.reports.settled import SettledWindow

COLUMNS = (
    Column("currency", "Currency"),
    Column("defaulter", "Who did not pay"),
    Column("creditor", "Who bears it"),
    Column("payer", "Paid less by"),
    Column("amount", "Amount", Kind.MONEY),
    Column("on", "Declared", Kind.DAY),
    Column("repaid", "of it came back", Kind.MONEY),
    Column("written_off", "of it claimed no more", Kind.MONEY),
)


def borne_by(settled: SettledWindow, currency: str, participant: str) -> int:
    """What a creditor bears of defaults in a currency, minor units."""
    return sum(one.amount for one in settled.borne if (one.currency, one.creditor) == (currency, participant))


def tables(settled: SettledWindow, participant: str | None = None) -> list[Table]:
    """What a creditor bears, or everybody; no table where nobody does."""
    rows: list[list[Cell]] = [
        [one.currency, one.defaulter, one.creditor, one.payer, one.amount, one.on, one.repaid, one.written_off]
        for one in settled.borne
        if participant in {None, one.creditor}
    ]
    return [Table("borne", "Borne of defaults", COLUMNS, rows)] if rows else []


def note(settled: SettledWindow, participant: str) -> list[str]:
    """What becomes of what is borne."""
    if not any(one.creditor == participant for one in settled.borne):
        return []
    return ["What is borne of a default is paid so much less and stays claimed of whoever did not pay."]
