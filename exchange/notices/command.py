"""`python -m exchange notices`."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from exchange import commands
from exchange.config import Settings, SettingsRefused, load_settings


def notices(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002
) -> None:
    """Make the notices of points about to end that are due: 30, 7 and 1 days before, as events.

    A serving exchange does it by itself; this is for a clock of your own. Safe to run twice and beside it.
    """
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        commands.fail(refused)
    from exchange.db.engine import StartRefused

    try:
        with commands.database(settings) as url:
            made = asyncio.run(_run(settings, url))
    except StartRefused as refused:
        commands.fail(refused)
    typer.echo(json.dumps({"notices": made}) if as_json else f"{made} notices made")


async def _run(settings: Settings, url: str) -> int:
    from exchange.db.engine import Database
    from exchange.db.migrate import histories_of
    from exchange.notices.service import Notices

    database = Database(url)
    try:
        await database.check(histories_of(settings.service_extensions), durable=False)
        columns = (TextColumn("{task.completed} notices made"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("notices", total=None)
            return await Notices(database).run(lambda made: bar.advance(task, made))
    finally:
        await database.dispose()
