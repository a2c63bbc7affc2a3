"""A netting as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table

from settlement.cli.tables import listing, money, percent
from settlement.fx.model import Converted
from settlement.netting.model import NettingResult


def show(results: Sequence[NettingResult], mode: str) -> None:
    """Print each currency: the figures, then positions, pairs, payments and what is carried."""
    console = Console()
    if not results:
        console.print("The file has no obligations.")
    for result in results:
        console.rule(f"{result.currency}, {mode}, minor units")
        console.print(_figures(result))
        for table in _details(result):
            console.print(table)


def show_converted(positions: Sequence[Converted], per: str) -> None:
    """Print the rates that were used, and what was converted both ways."""
    console = Console()
    if not positions:
        console.print("Nothing was converted.")
        return
    used = {one.from_currency: one for one in positions if one.denominator}
    rates = [
        (f"{one.from_currency} to {one.into_currency}", one.via, f"{one.numerator}/{one.denominator}")
        for one in used.values()
    ]
    rows = [
        (one.participant, one.from_currency, f"{one.net:+,}", f"{one.per_item:+,}", f"{one.per_position:+,}",
         f"{one.difference:+,}")
        for one in positions
    ]  # fmt: skip
    console.print(listing("Rates", ("from, to", "through", "rate"), rates))
    columns = ("participant", "currency", "net", "per item", "per position", "difference")
    console.print(listing(f"Brought into {positions[0].into_currency}, per {per}", columns, rows))


def _figures(result: NettingResult) -> Table:
    figures = Table.grid(padding=(0, 2))
    figures.add_column()
    figures.add_column(justify="right")
    figures.add_row("came in (gross)", money(result.gross))
    if result.held:
        figures.add_row("of it held, not netted", money(result.held))
    figures.add_row("left by pair (bilateral)", money(result.bilateral))
    figures.add_row("least that can settle it", money(result.net_needed))
    figures.add_row("discharged without payment", money(result.offset))
    figures.add_row("left to pay", money(result.left))
    figures.add_row("saved", percent(result.offset, result.gross - result.held))
    return figures


def _details(result: NettingResult) -> list[RenderableType]:
    tables: list[RenderableType] = []
    if result.nets:
        rows = sorted(result.nets.items(), key=lambda item: (-item[1], item[0]))
        tables.append(listing("Net positions", ("participant", "net"), [(name, f"{net:+,}") for name, net in rows]))
    if result.pairs:
        rows_of_pairs = [(*pair, money(amount)) for pair, amount in result.pairs.items()]
        tables.append(listing("Pairs after set-off", ("debtor", "creditor", "amount"), rows_of_pairs))
    if result.payments:
        payments = [(p.payer, p.payee, money(p.amount)) for p in result.payments]
        tables.append(listing(f"Payments: {len(payments)}", ("from", "to", "amount"), payments))
    if result.carried:
        carried = [(c.debtor, c.creditor, money(c.amount)) for c in result.carried]
        tables.append(listing("Carried, below the minimum", ("debtor", "creditor", "amount"), carried))
    return tables
