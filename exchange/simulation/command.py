"""`python -m exchange simulate`: what past days would have come to with other rates, prices or promotions."""

from __future__ import annotations

import asyncio
import json as json_text
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange import commands
from exchange.config import Settings, SettingsRefused, load_settings

if TYPE_CHECKING:
    from exchange.directory.model import Directory
    from exchange.simulation.model import Comparison


def simulate(
    draft: Annotated[
        Path, typer.Option(help="What to try: a file (YAML) of rates, prices and promotions; see docs/rates.md.")
    ],
    since: Annotated[datetime, typer.Option("--from", help="First day or instant, where the coalition lives.")],
    until: Annotated[datetime, typer.Option("--to", help="First day or instant that is not played any more.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Play past days again with draft rates, prices or promotions, and show both outcomes side by side.

    Every movement of the days goes through its own rule again. Shown are the points minted and burnt, what each
    promotion gave and each sponsor pays, what each merchant owes, and its net position: as it was, as it would have
    been, and the change. Nothing is written: the database itself refuses it. Safe beside a serving exchange.
    """
    try:
        settings = load_settings()
    except SettingsRefused as refused:
        commands.fail(refused)
    if since >= until:
        commands.fail("--from must lie before --to")
    from exchange.client.tables import wide_console
    from exchange.db.engine import StartRefused
    from exchange.refusals import Refusal
    from exchange.scenario.sections import BadScenario
    from exchange.simulation.report import as_document, show

    try:
        with commands.database(settings) as url:
            comparison, directory = asyncio.run(_play(settings, url, draft, since, until))
    except BadScenario as bad:
        commands.fail(f"{draft}, {bad}")
    except OSError as error:
        commands.fail(f"{draft}: {error.strerror}")
    except (Refusal, StartRefused) as refused:
        commands.fail(refused)
    if json:
        typer.echo(json_text.dumps(as_document(comparison, directory), indent=2))
    else:
        show(comparison, directory, wide_console())


async def _play(
    settings: Settings, url: str, file: Path, since: datetime, until: datetime
) -> tuple[Comparison, Directory]:
    """Both outcomes, and the directory whose numbers they speak in."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from exchange.db.engine import Database
    from exchange.db.migrate import histories_of
    from exchange.directory.snapshot import read_directory
    from exchange.simulation.draft_file import read_draft
    from exchange.simulation.service import simulate as play_again

    database = Database(url)
    try:
        await database.check(histories_of(settings.service_extensions), durable=False)
        async with database.read() as connection:
            directory = await read_directory(connection)
        zone = directory.time_zone
        draft = read_draft(file, directory)
        columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,} movements"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("simulate", total=None)

            def progress(day: datetime, count: int) -> None:
                bar.update(task, description=f"{day.astimezone(zone):%Y-%m-%d}", advance=count)

            comparison, coalition = await play_again(
                database, draft, since.replace(tzinfo=zone), until.replace(tzinfo=zone), progress
            )
    finally:
        await database.dispose()
    return comparison, coalition.directory
