"""The day as tables a person reads in a terminal of 120 columns."""

from __future__ import annotations

from collections import Counter

from rich.console import Console, RenderableType

from exchange.client.amounts import money_text
from exchange.client.settlement import NettedWindow, Pair
from exchange.client.tables import table, titled
from exchange.demo.day import OPERATOR, DayResult
from exchange.demo.published import SETTLEMENT_CURRENCY, PublishedRate
from exchange.demo.tally import Tally
from exchange.demo.verdict import Audit

_CONVERSIONS_SHOWN = 12
_MATRIX_SIZE = 7
_PAYMENTS_SHOWN = 12
_OTHERS = "others"
_YES, _NO = "[green]✓[/green]", "[bold red]✗[/bold red]"


def show(result: DayResult, console: Console) -> None:
    """Print the whole day and its verdict."""
    window = result.window
    console.print(_volumes(result.tally), _conversions(result.tally))
    console.print(_matrix(window), _nets(window), _payments(window))
    console.print(_audit(result.audit), _checks(result))
    for surprise in result.tally.surprises:
        console.print(f"  {surprise}", style="red", markup=False, soft_wrap=True)
    console.print(f"\n{_pace(result)}\n", style="dim", markup=False)


def _volumes(tally: Tally) -> RenderableType:
    volumes = table("movement", "asked", "done", "points", "replayed", "refused", "because", words=("because",))
    for op, volume in tally.volumes.items():
        figures = _figures(volume.asked, volume.done, volume.points, volume.replayed, volume.refused.total())
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in volume.refused.most_common())
        volumes.add_row(op, *figures, reasons)
    every = tally.volumes.values()
    asked, done = sum(v.asked for v in every), sum(v.done for v in every)
    replayed, refused = sum(v.replayed for v in every), sum(v.refused.total() for v in every)
    volumes.add_section()
    # Points of different currencies do not add up.
    volumes.add_row("all", *_figures(asked, done, 0, replayed, refused))
    return titled("What moved", volumes)


def _conversions(tally: Tally) -> RenderableType:
    columns = ("from", "to", "since", "published", "count", "used", "received", "received for 1,000 used")
    conversions = table(*columns, words=columns[:4])
    ranked = sorted(tally.conversions, key=lambda number: (-tally.conversions[number].count, number))
    # A pair whose terms changed at midnight is shown with both versions: that is what effective dates are for.
    versions = Counter(_pair(tally.rates[number]) for number in tally.conversions)
    changed = [n for n in sorted(tally.conversions) if versions[_pair(tally.rates[n])] > 1]
    shown = [n for n in ranked[:_CONVERSIONS_SHOWN] if n not in changed]
    for number in [*shown, *changed]:
        rate, made = tally.rates[number], tally.conversions[number]
        conversions.add_row(
            *_pair(rate),
            rate.begins.isoformat(),
            _terms(rate),
            *_figures(made.count, made.used, made.received),
            _tenths(made.received * 1_000, made.used),
        )
    return titled("Conversions, most used first, and the pair whose terms changed at midnight", conversions)


def _pair(rate: PublishedRate) -> Pair:
    return rate.source.code, rate.target.code


def _terms(rate: PublishedRate) -> str:
    bonus = f" +{rate.bonus_points:,} each {rate.bonus_every:,}" if rate.bonus_every else ""
    return f"{rate.source_units:,}:{rate.target_units:,}{bonus}"


def _matrix(window: NettedWindow) -> RenderableType:
    """Gross amounts by pair: the participants that owe and are owed most, everybody else added up."""
    size: Counter[str] = Counter()
    for (debtor, creditor), total in window.pairs.items():
        size[debtor] += total.gross
        size[creditor] += total.gross
    shown = [name for name, _ in size.most_common(_MATRIX_SIZE)]
    cells: Counter[Pair] = Counter()
    for (debtor, creditor), total in window.pairs.items():
        cells[debtor if debtor in shown else _OTHERS, creditor if creditor in shown else _OTHERS] += total.gross
    matrix = table("owes", *shown, _OTHERS)
    for debtor in [*shown, _OTHERS]:
        matrix.add_row(debtor, *(_money(cells[debtor, creditor]) for creditor in [*shown, _OTHERS]))
    return titled(f"Who owes whom before set-off, {SETTLEMENT_CURRENCY}: rows owe columns", matrix)


def _nets(window: NettedWindow) -> RenderableType:
    nets = table("participant", "is owed", "owes", "net")
    for name, position in sorted(window.positions.items(), key=lambda item: (-item[1].net, item[0])):
        colour = "green" if position.net >= 0 else "red"
        net = f"[{colour}]{money_text(position.net, SETTLEMENT_CURRENCY)}[/{colour}]"
        nets.add_row(name, _money(position.receivable), _money(position.payable), net)
    positions = window.positions.values()
    owed, owing = sum(p.receivable for p in positions), sum(p.payable for p in positions)
    nets.add_section()
    nets.add_row("sum", _money(owed), _money(owing), money_text(sum(p.net for p in positions), SETTLEMENT_CURRENCY))
    return titled(f"Net positions, {SETTLEMENT_CURRENCY}", nets)


def _payments(window: NettedWindow) -> RenderableType:
    payments = table("from", "to", "amount", words=("to",))
    ranked = sorted(window.payments, key=lambda payment: -payment.amount)
    for payment in ranked[:_PAYMENTS_SHOWN]:
        payments.add_row(payment.payer, payment.payee, _money(payment.amount))
    if rest := ranked[_PAYMENTS_SHOWN:]:
        payments.add_row(f"{len(rest)} more", "", _money(sum(payment.amount for payment in rest)))
    saved = _tenths((window.gross - window.paid) * 100, window.gross)
    title = (
        f"Payments through {OPERATOR}'s clearing account, {SETTLEMENT_CURRENCY}: {_money(window.paid)} from debtors"
        f" settle {_money(window.gross)}, {saved} % less"
    )
    return titled(title, payments)


def _audit(audit: Audit) -> RenderableType:
    checks = table("", "what must hold of the ledger", words=("what must hold of the ledger",))
    for check in audit.checks:
        checks.add_row(_YES if check["ok"] else _NO, str(check["check"]))
    return titled("Audit: everything counted again from the rows that never change", checks)


def _checks(result: DayResult) -> RenderableType:
    checks = table("", "what must hold of the day", "figures", words=("what must hold of the day", "figures"))
    for check in result.checks:
        checks.add_row(_YES if check.ok else _NO, check.name, check.detail)
    return titled("Does it add up?", checks)


def _pace(result: DayResult) -> str:
    parts = ", ".join(f"{part} {seconds:.1f}" for part, seconds in result.seconds.items() if part != "all")
    pace = result.plan.movements / result.seconds["movements"]
    return f"{result.seconds['all']:.1f} s in all ({parts}); {pace:,.0f} movements a second, unary and in bulk"


def _figures(*figures: int) -> list[str]:
    return [f"{figure:,}" if figure else "" for figure in figures]


def _money(minor_units: int) -> str:
    return money_text(minor_units, SETTLEMENT_CURRENCY) if minor_units else ""


def _tenths(dividend: int, divisor: int) -> str:
    """A quotient to one decimal, cut off."""
    tenths = dividend * 10 // divisor if divisor else 0
    return f"{tenths // 10:,}.{tenths % 10}"
