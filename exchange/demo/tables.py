"""The day as tables a person reads in a terminal of 120 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from exchange.client.amounts import money_text
from exchange.client.settlement import NettedWindow, Pair
from exchange.demo.day import OPERATOR, DayResult
from exchange.demo.published import SETTLEMENT_CURRENCY, PublishedRate
from exchange.demo.tally import Tally

_CONVERSIONS_SHOWN = 12
_MATRIX_SIZE = 7
_PAYMENTS_SHOWN = 12
_OTHERS = "others"


def show(result: DayResult, console: Console) -> None:
    """Print the whole day and its verdict."""
    console.print(_volumes(result.tally))
    console.print(_conversions(result.tally))
    console.print(_matrix(result.window))
    console.print(_nets(result.window))
    console.print(_payments(result.window))
    for surprise in result.tally.surprises:
        console.print(f"  {surprise}", style="red", markup=False)
    console.print(_checks(result))
    console.print(_pace(result), style="dim", markup=False)


def _volumes(tally: Tally) -> Table:
    table = _table("What moved", "movement", "asked", "done", "points", "replayed", "refused", text=("reasons",))
    for op, volume in tally.volumes.items():
        table.add_row(
            op,
            *_figures(volume.asked, volume.done, volume.points, volume.replayed, volume.refused.total()),
            _reasons(volume.refused),
        )
    volumes = tally.volumes.values()
    sums = (
        sum(v.asked for v in volumes),
        sum(v.done for v in volumes),
        sum(v.replayed for v in volumes),
        sum(v.refused.total() for v in volumes),
    )
    table.add_section()
    asked, done, replayed, refused = _figures(*sums)
    table.add_row("all", asked, done, "", replayed, refused, "")
    return table


def _reasons(refused: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in refused.most_common())


def _conversions(tally: Tally) -> Table:
    table = _table(
        "Conversions, most used first",
        "from",
        "to",
        "since",
        "published",
        "count",
        "points used",
        "points received",
        "received for 1,000 used",
        text=("from", "to", "since", "published"),
    )
    ranked = sorted(tally.conversions.items(), key=lambda item: (-item[1].count, item[0]))
    shown = [number for number, _ in ranked[:_CONVERSIONS_SHOWN]]
    # A pair whose terms changed at midnight is shown with both versions: that is what effective dates are for.
    pairs = Counter(_pair(tally.rates[number]) for number in tally.conversions)
    changed = [n for n in sorted(tally.conversions) if pairs[_pair(tally.rates[n])] > 1 and n not in shown]
    for number in [*shown, *changed]:
        rate, of_rate = tally.rates[number], tally.conversions[number]
        table.add_row(
            rate.source.code,
            rate.target.code,
            rate.begins.isoformat(),
            _terms(rate),
            *_figures(of_rate.count, of_rate.used, of_rate.received),
            f"{of_rate.received * 1_000 / of_rate.used:,.1f}",
        )
    return table


def _pair(rate: PublishedRate) -> Pair:
    return rate.source.code, rate.target.code


def _terms(rate: PublishedRate) -> str:
    bonus = f" +{rate.bonus_points:,} each {rate.bonus_every:,}" if rate.bonus_every else ""
    return f"{rate.source_units:,}:{rate.target_units:,}{bonus}"


def _matrix(window: NettedWindow) -> Table:
    """Gross amounts by pair: the participants that owe and are owed most, everybody else added up."""
    size: Counter[str] = Counter()
    for (debtor, creditor), total in window.pairs.items():
        size[debtor] += total.gross
        size[creditor] += total.gross
    shown = [name for name, _ in size.most_common(_MATRIX_SIZE)]
    cells: Counter[Pair] = Counter()
    for (debtor, creditor), total in window.pairs.items():
        cells[debtor if debtor in shown else _OTHERS, creditor if creditor in shown else _OTHERS] += total.gross
    table = _table(f"Who owes whom before set-off, {SETTLEMENT_CURRENCY} (rows owe columns)", "owes", *shown, _OTHERS)
    for debtor in [*shown, _OTHERS]:
        table.add_row(debtor, *(_money(cells[debtor, creditor]) for creditor in [*shown, _OTHERS]))
    return table


def _nets(window: NettedWindow) -> Table:
    table = _table(f"Net positions, {SETTLEMENT_CURRENCY}", "participant", "is owed", "owes", "net")
    for name, position in sorted(window.positions.items(), key=lambda item: (-item[1].net, item[0])):
        table.add_row(name, _money(position.receivable), _money(position.payable), _net(position.net))
    table.add_section()
    positions = window.positions.values()
    table.add_row(
        "sum",
        _money(sum(p.receivable for p in positions)),
        _money(sum(p.payable for p in positions)),
        money_text(sum(p.net for p in positions), SETTLEMENT_CURRENCY),
    )
    return table


def _payments(window: NettedWindow) -> Table:
    saved = 100 - 100 * window.paid / window.gross if window.gross else 0
    title = (
        f"Payments through the clearing account of {OPERATOR}: {_money(window.paid)} settle {_money(window.gross)}"
        f" ({saved:.1f} % saved)"
    )
    table = _table(title, "from", "to", "amount", text=("from", "to"))
    ranked = sorted(window.payments, key=lambda payment: -payment.amount)
    for payment in ranked[:_PAYMENTS_SHOWN]:
        table.add_row(payment.payer, payment.payee, _money(payment.amount))
    rest = ranked[_PAYMENTS_SHOWN:]
    if rest:
        table.add_row(f"{len(rest)} more", "", _money(sum(payment.amount for payment in rest)))
    return table


def _checks(result: DayResult) -> Table:
    table = _table("Does it add up?", "", "", "", text=("", "", ""))
    table.show_header = False
    for check in result.checks:
        mark = "[green]yes[/green]" if check.ok else "[bold red]NO[/bold red]"
        table.add_row(mark, check.name, check.detail)
    return table


def _pace(result: DayResult) -> str:
    parts = ", ".join(f"{part} {seconds:.1f}" for part, seconds in result.seconds.items() if part != "all")
    rate = result.plan.movements / result.seconds["movements"]
    return f"{result.seconds['all']:.1f} s in all ({parts}); {rate:,.0f} movements a second, unary and in bulk"


def _table(title: str, *columns: str, text: Sequence[str] = ()) -> Table:
    """A table whose first column and those named in `text` are words, the others figures."""
    table = Table(title=title, title_justify="left", title_style="bold")
    words = {columns[0], *text}
    for column in [*columns, *(name for name in text if name not in columns)]:
        table.add_column(column, justify="left" if column in words else "right")
    return table


def _figures(*figures: int) -> list[str]:
    return [f"{figure:,}" if figure else "" for figure in figures]


def _money(minor_units: int) -> str:
    return money_text(minor_units, SETTLEMENT_CURRENCY) if minor_units else ""


def _net(minor_units: int) -> str:
    colour = "green" if minor_units > 0 else "red"
    return f"[{colour}]{money_text(minor_units, SETTLEMENT_CURRENCY)}[/{colour}]"
