"""A report as JSON: amounts as whole minor units or micro-units, as their tables hold them."""

from __future__ import annotations

import json
from datetime import date

from settlement.reports.model import Cell, Report


def render(report: Report) -> bytes:
    """One document: what it is about, then each table as a list of objects; UTF-8 with a final newline."""
    document = {
        "report": report.name,
        "about": {key: value for key, _, value in report.about},
        "notes": list(report.notes),
        **{
            table.name: [dict(zip(table.keys, map(_value, row), strict=True)) for row in table.rows]
            for table in report.tables
        },
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _value(cell: Cell) -> str | int | None:
    return cell.isoformat() if isinstance(cell, date) else cell
