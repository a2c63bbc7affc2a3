"""A played scenario as JSON for programs and as tables for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape

from exchange.client.amounts import money_text
from exchange.client.settlement import NettedWindow
from exchange.client.tables import table, titled
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
    `balances` {member: {currency: available points}}; `converted` {key: {used, received}}; `reversed` {key: points}.
    Pairs and nets of zero are left out, and so are keys of events that have nothing to say.
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
        "reversed": dict(day.reversed),
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
    console.print(_events(day))
    for number, window in enumerate(day.windows, start=1):
        console.print(_pairs(number, window, scenario.coalition.currency))
        console.print(_nets(number, window, scenario.coalition.currency))
    if day.balances:
        console.print(_balances(day))
    for difference in differences:
        console.print(f"  {difference}", style="red", markup=False, soft_wrap=True)
    if differences:
        count = "1 difference" if len(differences) == 1 else f"{len(differences)} differences"
        console.print(f"{scenario.file}: {count}", style="bold red", markup=False, soft_wrap=True)
    else:
        console.print(f"{scenario.file}: all as expected", style="bold green", markup=False, soft_wrap=True)


def _events(day: Day) -> RenderableType:
    events = table("#", "line", "op", "what", "outcome", words=("op", "what", "outcome"))
    events.columns[0].justify = "right"
    for played in day.played:
        outcome = f"{played.outcome}: {played.reason}" if played.reason else str(played.outcome)
        style = "red" if played.difference else _COLOURS[played.outcome]
        # What a file says is text: brackets in it are no markup.
        what = escape(played.text)
        events.add_row(str(played.number), str(played.line), played.op, what, f"[{style}]{outcome}[/{style}]")
    return titled("Events", events)


def _pairs(number: int, window: NettedWindow, currency: str) -> RenderableType:
    pairs = table("debtor", "creditor", "amount", words=("creditor",))
    for (debtor, creditor), total in window.pairs.items():
        pairs.add_row(debtor, creditor, money_text(total.gross, currency))
    return titled(f"Window {number}: who owes whom, {money_text(window.gross, currency)} {currency} in all", pairs)


def _nets(number: int, window: NettedWindow, currency: str) -> RenderableType:
    nets = table("participant", "net", "pays", "receives", "carried")
    pays = {payment.payer: payment.amount for payment in window.payments}
    receives = {payment.payee: payment.amount for payment in window.payments}
    for name, position in sorted(window.positions.items(), key=lambda item: (-item[1].net, item[0])):
        figures = [pays.get(name, 0), receives.get(name, 0), position.carried]
        if name in pays and name in receives:
            # The clearing account: money passes through it, and that is not this participant's own.
            figures = [0, 0, 0]
        shown = [money_text(figure, currency) if figure else "" for figure in figures]
        nets.add_row(name, money_text(position.net, currency), *shown)
    return titled(f"Window {number}: net positions, {money_text(window.paid, currency)} {currency} to be paid", nets)


def _balances(day: Day) -> RenderableType:
    balances = table("member", "currency", "points", words=("currency",))
    for member, held in day.balances.items():
        for currency, points in held.items():
            balances.add_row(escape(member), currency, f"{points:,}")
    return titled("Available points at the end", balances)
