"""Tables for a terminal, or for a file when the output goes to one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

_WIDTH_OF_FILES = 120


def wide_console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for our tables when it is none."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_FILES)


def table(*columns: str, words: Sequence[str] = ()) -> Table:
    """An empty table; the first column and those in `words` are words, the others figures."""
    made = Table()
    for column in columns:
        made.add_column(column, justify="left" if column in {columns[0], *words} else "right")
    return made


def titled(title: str, made: Table) -> RenderableType:
    """The table under its title; a title of its own would be broken to the table's width."""
    return Group(Text(f"\n{title}", style="bold"), made)
