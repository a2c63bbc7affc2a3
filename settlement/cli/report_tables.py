"""A report on a terminal: nothing of it is cut, however narrow that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from settlement.reports.formats.cells import shown
from settlement.reports.model import Column, Kind, Report, Table

_BETWEEN = 3
"""Characters a column takes beside its content; the last border is one more."""


def show_report(report: Report) -> None:
    """What it is about, then its tables."""
    console = Console()
    console.print(report.title, markup=False)
    for _, title, value in report.about:
        console.print(f"{title}: {value}", markup=False)
    for table in report.tables:
        for grid in _grids(table, console.width):
            console.print(grid)


def _grids(table: Table, width: int) -> Iterator[Grid]:
    """A table in one piece; where its words and figures are too wide for that, turned over and in as many as it takes.

    Half a figure is another figure, and half a heading could be anybody's.
    """
    cells = shown(table)
    least = [_least(column, [row[place] for row in cells]) for place, column in enumerate(table.columns)]
    spare = width - 1 - sum(one + _BETWEEN for one in least)
    if spare < 0:
        yield from _turned(table, cells, width)
        return
    grid = Grid(title=table.title, title_justify="left")
    for place, column in enumerate(table.columns):
        whole = max(cell_len(text) for text in (column.title, *(row[place] for row in cells)))
        more = min(spare, whole - least[place])
        spare -= more
        grid.add_column(column.title, justify="left" if _is_words(column) else "right", width=least[place] + more)
    for row in cells:
        grid.add_row(*map(Text, row))
    yield grid


def _turned(table: Table, cells: Sequence[Sequence[str]], width: int) -> Iterator[Grid]:
    """Each row from above to below, the headings before every few of them."""
    titles = [column.title for column in table.columns]
    room = max(width - 1 - _BETWEEN - max(map(cell_len, titles)), _BETWEEN + 1)
    left = list(cells)
    first = True
    while first or left:
        grid = Grid(title=table.title if first else None, title_justify="left", show_header=False)
        grid.add_column(style="bold", overflow="fold")
        taken, used = 0, 0
        for row in left:
            # What is wider than the screen by itself goes on in the next line.
            wide = min(max(map(cell_len, row)), room - _BETWEEN)
            used += wide + _BETWEEN
            if used > room:
                break
            grid.add_column(justify="right", overflow="fold", width=wide)
            taken += 1
        block, left, first = left[:taken], left[taken:], False
        for place, title in enumerate(titles):
            grid.add_row(title, *(Text(row[place]) for row in block))
        yield grid


def _least(column: Column, cells: Sequence[str]) -> int:
    """How narrow a column may be: figures stay whole, words may stand below one another."""
    words = [word for text in (column.title, *(cells if _is_words(column) else ())) for word in text.split()]
    return max(map(cell_len, (*words, *(() if _is_words(column) else cells))))


def _is_words(column: Column) -> bool:
    return column.kind in {Kind.TEXT, Kind.DAY}
