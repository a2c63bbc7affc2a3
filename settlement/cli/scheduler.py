"""`settlement scheduler`: close windows when they are due, and net them."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import as_json, on_ledger

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.windows.scheduler import Done


def scheduler(
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 30.0,
    *,
    once: Annotated[bool, typer.Option("--once", help="Look once and end: for cron.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON, a line for each look.")] = False,
) -> None:
    """Close the open window when the calendar says so, and net what was closed. Serving processes do the same.

    Any number may run at once. What fell due while none ran is closed late, by the first look.
    """

    async def work(database: Database) -> None:
        from exchange.config import load_settings
        from exchange.serving.telemetry import configure_logging
        from settlement.windows.scheduler import Scheduler

        # To stderr: what is printed is the command's answer, which programs read.
        configure_logging(load_settings().log_level)
        looking = Scheduler(database)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        while not stopped.is_set():
            done = await looking.look()
            if json:
                typer.echo(as_json(done._asdict()))
            elif any(done) or once:
                typer.echo(_told(done))
            if once:
                return
            try:
                await asyncio.wait_for(stopped.wait(), every)
            except TimeoutError:
                continue

    on_ledger(work)


def _told(done: Done) -> str:
    parts = [
        f"{what} {', '.join(f'windows/{number}' for number in numbers)}"
        for what, numbers in (("closed", done.closed), ("netted", done.netted))
        if numbers
    ]
    if done.ended:
        parts.append(f"ended {', '.join(done.ended)}")
    return "; ".join(parts) or "nothing is due"
