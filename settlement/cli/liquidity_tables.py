"""What can settle now, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from settlement.cli.tables import listing, money, percent
from settlement.liquidity.model import LiquidityResult
from settlement.netting.model import Obligation

ITEMS_SHOWN_MAX = 50
"""Longer lists are cut in tables; JSON has all of them."""


def show(results: Sequence[LiquidityResult], obligations: Sequence[Obligation], way: str) -> None:
    """Print each currency: the figures, the items that settle and those that stay, and the balances."""
    console = Console()
    if not results:
        console.print("The file has no obligations.")
    items = {item.id: item for item in obligations}
    for result in results:
        console.rule(f"{result.currency}, {way}, minor units")
        console.print(_figures(result))
        for title, part in (("Settles now", result.settled), ("Stays", result.unsettled)):
            if part:
                console.print(_items(title, part, items))
                if len(part) > ITEMS_SHOWN_MAX:
                    console.print(f"… and {len(part) - ITEMS_SHOWN_MAX} more; --json lists all.")
        balances = [(name, money(balance)) for name, balance in result.balances.items()]
        console.print(listing("Balances afterwards", ("participant", "balance"), balances))


def _figures(result: LiquidityResult) -> Table:
    figures = Table.grid(padding=(0, 2))
    figures.add_column()
    figures.add_column(justify="right")
    figures.add_row("came in (gross)", money(result.gross))
    figures.add_row("settles now", money(result.settled_value))
    figures.add_row("of gross", percent(result.settled_value, result.gross))
    figures.add_row("stays", money(result.gross - result.settled_value))
    if result.optimal:
        figures.add_row("proven", "no more can settle now")
    else:
        missed = result.ceiling - result.settled_value
        figures.add_row("not proven best; at most", money(result.ceiling))
        figures.add_row("so it may miss, at most", f"{money(missed)} ({percent(missed, result.ceiling)})")
    return figures


def _items(title: str, part: Mapping[str, int], items: Mapping[str, Obligation]) -> Table:
    shown = list(part.items())[:ITEMS_SHOWN_MAX]
    rows = [(name, items[name].debtor, items[name].creditor, money(amount)) for name, amount in shown]
    return listing(f"{title}: {len(part)}", ("item", "debtor", "creditor", "amount"), rows)
