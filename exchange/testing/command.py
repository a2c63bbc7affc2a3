"""`python -m exchange sandbox`: an exchange to try a program on, until it is told to stop."""

from __future__ import annotations

import asyncio
import json as json_text
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

_OFFSET = timedelta(hours=8)
_OPERATOR = "OPR"


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="TCP port on this machine; 0: any free one.")] = 0,
    clock: Annotated[datetime | None, typer.Option(help="What time it shall be (UTC). [default: now]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line instead of a table.")] = False,
    lifeline: Annotated[bool, typer.Option(help="End when standard input ends, as when its starter dies.")] = False,
) -> None:
    """Run an exchange to try a program on: merchants, members and points are there, the clock can be moved.

    The server is the real one, on a fresh database: embedded, or a new one on the server EXCHANGE_DATABASE_URL names.
    Certain amounts force each refusal: docs/sandbox.md. Prints address and keys, runs until told to stop, and leaves
    nothing behind.
    """
    from exchange.client.errors import Refused
    from exchange.sandbox import SandboxFailed, run

    try:
        run(_serve(port, clock, as_json=json, lifeline=lifeline))
    except (Refused, SandboxFailed) as failed:
        typer.echo(f"The sandbox does not start: {failed}", err=True)
        raise typer.Exit(2) from failed
    except KeyboardInterrupt:
        raise typer.Exit from None


async def _serve(port: int, clock: datetime | None, *, as_json: bool, lifeline: bool) -> None:
    from exchange.sandbox import sandbox as started
    from exchange.scenario.wire import set_clock
    from exchange.testing.coalition import build
    from exchange.testing.report import shown, told

    cut = asyncio.Event()
    if lifeline:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _listen, cut)
    async with started(
        operator=_OPERATOR, offset=_OFFSET, durable=False, port=str(port), forced_refusals="true"
    ) as exchange:
        if clock is not None:
            await exchange.operator.ask(exchange.stubs.sandbox.SetClock, set_clock(clock.replace(tzinfo=UTC)))
        keys = await build(exchange.address, exchange.operator_key)
        typer.echo(json_text.dumps(told(exchange.address, keys)) if as_json else shown(exchange.address, keys))
        sys.stdout.flush()
        # Without a lifeline a signal ends the wait.
        await cut.wait()


def _listen(cut: asyncio.Event) -> None:
    """Whoever started us holds the other end; nothing is ever said, and the end of it is the end of us."""
    if not os.read(sys.stdin.fileno(), 1):
        cut.set()
