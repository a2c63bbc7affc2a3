"""`settlement status`: everything that is not finished, at one glance."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import as_json, on_ledger
from settlement.cli.plain import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from exchange.db.engine import Database
    from settlement.board.model import Board, Line


def status(*, json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False) -> None:
    """Show every window that is not finished: how far it is, since when, what is due, who acts next and what to type.

    Below: what is carried or held, what waits for a person beside the windows, and the next cut-offs.
    """

    async def look(database: Database) -> Board:
        from settlement.board.service import Boards

        return await Boards(database).look()

    board = on_ledger(look)
    if json:
        typer.echo(as_json(plain(board)))
        return
    show(board)


def plain(board: Board) -> dict[str, object]:
    """The board as plain values; amounts in minor units."""
    return {
        "now": board.now.isoformat(),
        "windows": [
            {"window": one.window, "state": one.state, "since": one.since.isoformat(), "age_days": one.age_days,
             "due": one.due.isoformat() if one.due else None, "late": one.late, "to_pay": dict(one.to_pay),
             "unpaid": dict(one.unpaid), "payments": one.payments, "payments_open": one.payments_open,
             "suspended": list(one.suspended),
             "next": {**one.todo._asdict(), "command": _command(one.todo.command)}}
            for one in board.windows
        ],
        "waits": [one._asdict() for one in board.waits],
        "outstanding": [{**one._asdict(), "command": _command(one.command)} for one in board.outstanding],
        "cut_offs": [
            {"currency": one.currency, "at": one.at.isoformat(), "pay_day": one.pay_day.isoformat()}
            for one in board.cut_offs
        ],
    }  # fmt: skip


def show(board: Board) -> None:
    """Print the board."""
    from rich.console import Console

    from settlement.cli.run_tables import money
    from settlement.cli.tables import listing

    console = Console()
    columns = ("window", "state", "days", "due", "payments open", "whose turn", "unpaid")
    console.print(listing("Windows", columns, [_row(one) for one in board.windows]))
    _show_todos(console, board)
    if board.waits:
        rows = [
            (one.currency, money(one.carried, one.currency), money(one.held, one.currency), str(one.oldest_days))
            for one in board.waits
        ]
        console.print(listing("Carried and held", ("currency", "carried", "held", "oldest, days"), rows))
    if board.cut_offs:
        dates = [(one.currency, one.at.isoformat(timespec="minutes"), str(one.pay_day)) for one in board.cut_offs]
        console.print(listing("Next cut-offs", ("currency", "at (UTC)", "paid on"), dates))


def _show_todos(console: Console, board: Board) -> None:
    for one in board.windows:
        because = f" ({one.todo.because})" if one.todo.because else ""
        step = _command(one.todo.command) or one.todo.step
        console.print(f"{one.window}: {one.todo.who}: {step}{because}", markup=False, soft_wrap=True)
        if one.suspended:
            names = ", ".join(one.suspended)
            console.print(f"{one.window}: held, for they are suspended in the exchange: {names}", soft_wrap=True)
    for queue in board.outstanding:
        since = f"{queue.what}: {queue.number}, the oldest of {queue.oldest_days} days"
        console.print(f"{since}: {queue.who}: {_command(queue.command)}", markup=False, soft_wrap=True)


def _row(one: Line) -> tuple[str, ...]:
    age = "" if one.age_days is None else str(one.age_days)
    open_of = f"{one.payments_open} of {one.payments}" if one.payments else "-"
    return (one.window, _state(one.state), age, _due(one), open_of, one.todo.who, _amounts(one.unpaid))


def _state(state: str) -> str:
    return state.lower().replace("_", " ")


def _due(one: Line) -> str:
    if one.due is None:
        return "-"
    due: date | datetime = one.due
    text = due.isoformat(timespec="minutes") if isinstance(due, datetime) else due.isoformat()
    return f"{text}, LATE" if one.late else text


def _amounts(sums: Mapping[str, int]) -> str:
    from settlement.cli.run_tables import money

    return "\n".join(f"{code} {money(amount, code)}" for code, amount in sums.items()) or "-"


def _command(words: str) -> str:
    return f"{PROGRAM} {words}" if words else ""
