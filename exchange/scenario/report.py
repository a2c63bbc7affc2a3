"""A played scenario as JSON for programs and as tables for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from exchange.client.amounts import money_text
from exchange.client.settlement import NettedWindow
from exchange.scenario.model import Scenario
from exchange.scenario.outcomes import Day, Outcome, Played

_COLOURS = {
    Outcome.DONE: "green",
    Outcome.REPLAYED: "green",
    Outcome.REFUSED: "red",
    Outcome.REFUSED_AS_EXPECTED: "green",
    Outcome.NOT_REFUSED: "red",
}


def as_document(scenario: Scenario, day: Day, differences: list[str]) -> dict[str, Any]:
    """What `--json` prints.

    Keys, in this order: `file`; `passed`; `differences` (sentences); `events` (number, line, op, text, outcome, key,
    transfer, reason, message); `windows` in order of closing (window, digest, pairs {"GRO>TEL": n}, nets {"GRO": n},
    gross, paid, payments [{from, to, amount}], carried {"GRO": n}; all in minor units of the settlement currency);
    `balances` {member: {currency: available points}}; `converted` {key: {used, received}}. Pairs and nets of zero are
    left out, and so are keys of events that have nothing to say.
    """
    return {
        "file": scenario.file,
        "passed": not differences,
        "differences": differences,
        "events": [_event(played) for played in day.played],
        "windows": [_window(window) for window in day.windows],
        "balances": {member: dict(balances) for member, balances in day.balances.items()},
        "converted": {
            key: {"used": converted.used, "received": converted.received} for key, converted in day.converted.items()
        },
    }


def _event(played: Played) -> dict[str, Any]:
    event: dict[str, Any] = {
        "number": played.number,
        "line": played.line,
        "op": played.op,
        "text": played.text,
        "outcome": played.outcome.value,
    }
    for name in ("key", "transfer", "reason", "message"):
        if value := getattr(played, name):
            event[name] = value
    return event


def _window(window: NettedWindow) -> dict[str, Any]:
    return {
        "window": window.window,
        "digest": window.digest,
        "pairs": {f"{debtor}>{creditor}": t.gross for (debtor, creditor), t in window.pairs.items() if t.gross},
        "nets": {name: position.net for name, position in window.positions.items() if position.net},
        "gross": window.gross,
        "paid": window.paid,
        "payments": [{"from": p.payer, "to": p.payee, "amount": p.amount} for p in window.payments],
        "carried": {name: position.carried for name, position in window.positions.items() if position.carried},
    }


def show(scenario: Scenario, day: Day, differences: list[str], console: Console) -> None:
    """Print the events, each window, the balances, and the verdict with every difference."""
    console.print(_events_table(day))
    for number, window in enumerate(day.windows, start=1):
        _show_window(number, window, scenario.coalition.currency, console)
    if day.balances:
        console.print(_balances_table(day))
    for difference in differences:
        console.print(f"  {difference}", style="red", markup=False)
    if differences:
        console.print(f"{scenario.file}: {len(differences)} differences", style="bold red", markup=False)
    else:
        console.print(f"{scenario.file}: all as expected", style="bold green", markup=False)


def _events_table(day: Day) -> Table:
    table = _table("Events")
    for column, justify in (("#", "right"), ("line", "right"), ("op", "left"), ("what", "left"), ("outcome", "left")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    for played in day.played:
        outcome = f"{played.outcome}: {played.reason}" if played.reason else str(played.outcome)
        style = "red" if played.difference else _COLOURS[played.outcome]
        table.add_row(str(played.number), str(played.line), played.op, played.text, f"[{style}]{outcome}[/{style}]")
    return table


def _show_window(number: int, window: NettedWindow, currency: str, console: Console) -> None:
    pairs = _table(f"Window {number}: who owes whom, {currency} (gross {money_text(window.gross, currency)})")
    for column in ("debtor", "creditor", "amount"):
        pairs.add_column(column, justify="right" if column == "amount" else "left")
    for (debtor, creditor), total in window.pairs.items():
        pairs.add_row(debtor, creditor, money_text(total.gross, currency))
    nets = _table(
        f"Window {number}: net positions and what is paid, {currency} (paid {money_text(window.paid, currency)})"
    )
    for column in ("participant", "net", "pays", "receives", "carried"):
        nets.add_column(column, justify="left" if column == "participant" else "right")
    pays = {payment.payer: payment.amount for payment in window.payments}
    receives = {payment.payee: payment.amount for payment in window.payments}
    for name, position in sorted(window.positions.items(), key=lambda item: (-item[1].net, item[0])):
        figures = [pays.get(name, 0), receives.get(name, 0), position.carried]
        # The clearing account stands in every payment: its row shows the position, not the money passing through.
        shown = (
            ["", "", ""]
            if name in pays and name in receives
            else [money_text(f, currency) if f else "" for f in figures]
        )
        nets.add_row(name, money_text(position.net, currency), *shown)
    console.print(pairs)
    console.print(nets)


def _balances_table(day: Day) -> Table:
    table = _table("Available points at the end")
    table.add_column("member")
    table.add_column("currency")
    table.add_column("points", justify="right")
    for member, balances in day.balances.items():
        for currency, points in balances.items():
            table.add_row(member, currency, f"{points:,}")
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold")
