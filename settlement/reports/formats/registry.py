"""The formats a report can have. A new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from settlement.reports.formats import csv_file, json_file, pdf, xlsx
from settlement.reports.model import Report


class Format(NamedTuple):
    """A way of writing a report: the same bytes for the same report, for ever."""

    render: Callable[[Report], bytes]
    suffix: str
    media_type: str


FORMATS: dict[str, Format] = {
    "json": Format(json_file.render, "json", "application/json"),
    "csv": Format(csv_file.render, "csv", "text/csv"),
    "xlsx": Format(xlsx.render, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": Format(pdf.render, "pdf", "application/pdf"),
}
