"""Tables and figures as every command shows them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table


def listing(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table whose last column is figures."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        # On a narrow screen a cell goes on in the next line: an instant or an id that is cut short is worth nothing.
        table.add_column(column, justify="right" if column == columns[-1] else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def money(amount: int) -> str:
    """Minor units with thousands separated."""
    return f"{amount:,}"


def percent(part: int, of: int) -> str:
    """A share to two places, half up; a dash when there is nothing to have a share of."""
    if of == 0:
        return "-"
    hundredths = (part * 20_000 + of) // (2 * of)
    return f"{hundredths // 100}.{hundredths % 100:02} %"
