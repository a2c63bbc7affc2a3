"""A report on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid

from settlement.reports.formats.cells import shown
from settlement.reports.model import Kind, Report


def show_report(report: Report) -> None:
    """What it is about, then its tables."""
    console = Console()
    console.print(report.title, markup=False)
    for _, title, value in report.about:
        console.print(f"{title}: {value}", markup=False)
    for table in report.tables:
        grid = Grid(title=table.title, title_justify="left")
        for column in table.columns:
            grid.add_column(column.title, justify="left" if column.kind in {Kind.TEXT, Kind.DAY} else "right")
        for row in shown(table):
            grid.add_row(*row)
        console.print(grid)
