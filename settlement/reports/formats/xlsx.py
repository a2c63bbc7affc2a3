"""A report as a workbook: a sheet for what it is about, one for each table, charts beside the positions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from settlement.reports.formats.cells import places
from settlement.reports.model import Cell, Chart, Column, Kind, Report, Table

EXACT_MAX = 10**15
"""A spreadsheet keeps fifteen digits of a figure; what is longer is written as text."""
_SHEET_CHARS_MAX = 31
_WIDTH = 18


def render(report: Report) -> bytes:
    """The workbook's bytes; the instant in it is the report's own."""
    import xlsxwriter

    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": report.title, "created": report.as_of.replace(tzinfo=None)})
    writer = _Writer(book)
    writer.about(report)
    for table in report.tables:
        writer.table(table)
    for number, chart in enumerate(report.charts, start=1):
        writer.chart(chart, number)
    book.close()
    return stream.getvalue()


class _Writer:
    """Writes sheets with the formats they share."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "bottom": 1})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._figures: dict[int, Any] = {}

    def about(self, report: Report) -> None:
        sheet = self._book.add_worksheet("About")
        sheet.set_column(0, 0, _WIDTH)
        sheet.set_column(1, 1, 4 * _WIDTH)
        sheet.write_string(0, 0, report.title, self._title)
        for row, (_, title, value) in enumerate(report.about, start=2):
            sheet.write_string(row, 0, title)
            sheet.write_string(row, 1, value)
        for row, note in enumerate(report.notes, start=len(report.about) + 3):
            sheet.write_string(row, 0, note)

    def table(self, table: Table) -> None:
        sheet = self._book.add_worksheet(_sheet_name(table.title))
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(table.columns) - 1, _WIDTH)
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, column.title, self._bold)
        for number, row in enumerate(table.rows, start=1):
            currency = table.currency_of(row) if "currency" in table.keys else ""
            self._row(sheet, number, row, table.columns, currency)

    def chart(self, chart: Chart, number: int) -> None:
        """Bars of who receives and who pays, beside the figures they are drawn from."""
        name = _sheet_name(f"Chart {chart.currency}" if number else "Chart")
        sheet = self._book.add_worksheet(name)
        columns = [Column("label", "Participant"), Column("r", "Receives", Kind.MONEY), Column("p", "Pays", Kind.MONEY)]
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.title, self._bold)
        for row, bar in enumerate(chart.bars, start=1):
            self._row(sheet, row, bar, columns, chart.currency)
        picture = self._book.add_chart({"type": "bar", "subtype": "stacked"})
        last = len(chart.bars)
        for place, colour in ((1, "#2E7D32"), (2, "#C62828")):
            series = {
                "name": [name, 0, place],
                "categories": [name, 1, 0, last, 0],
                "values": [name, 1, place, last, place],
            }
            picture.add_series({**series, "fill": {"color": colour}, "gap": 40})
        picture.set_title({"name": chart.title})
        picture.set_y_axis({"reverse": True})
        picture.set_size({"width": 720, "height": 120 + 28 * last})
        sheet.insert_chart(0, 4, picture)

    def _row(self, sheet: Any, number: int, row: Sequence[Cell], columns: Sequence[Column], currency: str) -> None:
        for place, (cell, column) in enumerate(zip(row, columns, strict=True)):
            if isinstance(cell, date):
                sheet.write_datetime(number, place, cell, self._day)
            elif isinstance(cell, int):
                self._figure(sheet, number, place, cell, places(column, currency))
            elif cell is not None:
                sheet.write_string(number, place, cell)

    def _figure(self, sheet: Any, row: int, place: int, amount: int, count: int) -> None:
        value = Decimal(amount).scaleb(-count)
        if amount < EXACT_MAX:
            sheet.write_number(row, place, value, self._format(count))
        else:
            sheet.write_string(row, place, f"{value:f}")

    def _format(self, count: int) -> Any:
        if count not in self._figures:
            pattern = "#,##0" + (f".{'0' * count}" if count else "")
            self._figures[count] = self._book.add_format({"num_format": pattern})
        return self._figures[count]


def _sheet_name(title: str) -> str:
    return "".join(sign for sign in title if sign not in "[]:*?/\\'")[:_SHEET_CHARS_MAX]
