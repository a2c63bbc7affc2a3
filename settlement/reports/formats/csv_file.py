"""A report as CSV: its tables one after another, each row led by the table's name; a single table goes without."""

from __future__ import annotations

import csv
import io

from settlement.reports.formats.cells import plain
from settlement.reports.model import Report


def render(report: Report) -> bytes:
    """UTF-8, CRLF as RFC 4180; amounts decimal with a point and no separators."""
    keys = list(dict.fromkeys(key for table in report.tables for key in table.keys))
    many = len(report.tables) > 1
    text = io.StringIO()
    writer = csv.DictWriter(text, [*(["table"] if many else []), *keys], restval="", lineterminator="\r\n")
    writer.writeheader()
    for table in report.tables:
        for row in table.rows:
            currency = table.currency_of(row) if "currency" in table.keys else ""
            cells = {c.key: plain(cell, c, currency) for cell, c in zip(row, table.columns, strict=True)}
            writer.writerow({"table": table.name, **cells} if many else cells)
    return text.getvalue().encode()
