"""`python -m exchange compact-events`."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from exchange import commands
from exchange.config import Settings, SettingsRefused, load_settings


def compact_events(
    keep_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days to keep. [default: EXCHANGE_EVENT_KEEP_DAYS]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002
) -> None:
    """Let go of events that are older than so many days; transfers themselves stay.

    A serving exchange does it by itself when EXCHANGE_EVENT_KEEP_DAYS is set. Safe to run twice and beside it. How old
    events are is known from the first run on: what it finds is let go of that many days later.
    """
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        commands.fail(refused)
    days = keep_days or settings.event_keep_days
    if not days:
        commands.fail("nothing says how long events are kept: give --keep-days, or set EXCHANGE_EVENT_KEEP_DAYS")
    from exchange.db.engine import StartRefused

    try:
        with commands.database(settings) as url:
            horizon, deleted = asyncio.run(_run(settings, url, days))
    except StartRefused as refused:
        commands.fail(refused)
    told = f"{deleted} events deleted; kept from place {horizon} on"
    typer.echo(json.dumps({"deleted": deleted, "horizon": horizon}) if as_json else told)


async def _run(settings: Settings, url: str, days: int) -> tuple[int, int]:
    from exchange.db.engine import Database
    from exchange.db.migrate import histories_of
    from exchange.events.retention import Retention

    database = Database(url)
    try:
        await database.check(histories_of(settings.service_extensions), durable=False)
        columns = (TextColumn("{task.completed} events deleted"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("events", total=None)
            return await Retention(database, days).run(lambda deleted: bar.advance(task, deleted))
    finally:
        await database.dispose()
