"""The exceptions queue as a report. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from settlement.payments.exceptions import PaymentException
from settlement.reports.model import Cell, Column, Kind, Report, Table

COLUMNS = (
    Column("number", "No", Kind.WHOLE),
    Column("kind", "Kind"),
    Column("payment", "About"),
    Column("message", "Bank's message"),
    Column("line", "Line", Kind.WHOLE),
    Column("said", "It said"),
    Column("raised", "Raised"),
    Column("matched", "Matched to"),
    Column("note", "Found"),
    Column("resolved", "Ended"),
    Column("resolved_by", "By"),
)


def exceptions(found: Sequence[PaymentException], zone: ZoneInfo, as_of: datetime) -> Report:
    """Every exception there was, with how it ended."""
    waiting = sum(1 for one in found if one.resolved_at is None)
    return Report(
        name="exceptions",
        title="Payment exceptions",
        about=[("waiting", "Waiting", str(waiting)), ("all", "In all", str(len(found)))],
        as_of=as_of,
        tables=[Table("exceptions", "Exceptions", COLUMNS, [_row(one, zone) for one in found])],
    )


def _row(one: PaymentException, zone: ZoneInfo) -> Sequence[Cell]:
    def at(moment: datetime | None) -> str | None:
        return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds") if moment else None

    return [
        one.exception_no,
        one.kind,
        one.end_to_end_id,
        one.bank_message_id,
        one.line_no,
        one.said,
        at(one.raised_at),
        one.matched_to,
        one.note,
        at(one.resolved_at),
        one.resolved_by,
    ]
