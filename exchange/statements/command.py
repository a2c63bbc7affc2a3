"""`python -m exchange statements`: make the member statements of a month, and see that they tie to the ledger."""

from __future__ import annotations

import asyncio
import json as json_text
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from exchange.config import Settings
    from exchange.statements.model import CurrencySummary, Month


def statements(
    month: Annotated[str | None, typer.Option(help="Which, as 2026-03. [default: the month before this one]")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the member statements of a month that is over: one for each account that moved or holds points.

    A serving exchange makes them by itself on the day EXCHANGE_STATEMENT_DAY says. Safe to run again, at the same time,
    and after being interrupted: what is made stays made, and only what is missing is added.

    Exits 1 when what members have is not what is in circulation.
    """
    from exchange import commands
    from exchange.config import SettingsRefused, load_settings
    from exchange.db.engine import StartRefused
    from exchange.refusals import Refusal
    from exchange.statements.model import Month
    from exchange.statements.monthly import MonthNotOver

    try:
        wanted = None if month is None else Month.named(month)
    except ValueError:
        commands.fail(f"--month {month}: is no month such as 2026-03")
    try:
        settings = load_settings()
        with commands.database(settings) as url:
            made, of, found = asyncio.run(_make(url, settings, wanted))
    except (SettingsRefused, StartRefused, MonthNotOver, Refusal) as refused:
        commands.fail(refused)
    if json:
        document = [one._asdict() | {"ties": one.ties} for one in found]
        typer.echo(json_text.dumps({"month": of.name, "made_now": made, "currencies": document}, ensure_ascii=False))
    else:
        _show(of, made, found)
    raise typer.Exit(0 if all(one.ties for one in found) else 1)


async def _make(url: str, settings: Settings, wanted: Month | None) -> tuple[int, Month, list[CurrencySummary]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from exchange.clock import coalition_now
    from exchange.db.engine import Database
    from exchange.db.migrate import histories_of
    from exchange.rates.source import CoalitionSource
    from exchange.statements.model import Month
    from exchange.statements.monthly import PARTS, MonthlyStatements

    database = Database(url)
    try:
        await database.check(histories_of(settings.service_extensions), durable=False)
        source = CoalitionSource(database)
        job = MonthlyStatements(database, source)
        async with database.read() as connection:
            now = await coalition_now(connection)
        month = wanted or Month.of(now.astimezone((await source.current()).time_zone).date()).before
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(f"statements of {month.name}", total=PARTS)
            made = await job.make(month, lambda done: bar.update(task, completed=done))
        return made, month, await job.summary(month)
    finally:
        await database.dispose()


def _show(month: Month, made: int, found: list[CurrencySummary]) -> None:
    from exchange.client.tables import table, titled, wide_console

    headings = ("currency", "statements", "opening", "credited", "debited", "closing", "held", "in circulation", "")
    shown = table(*headings, words=("",))
    for one in found:
        figures = [f"{figure:,}".replace(",", " ") for figure in one[1:]]
        shown.add_row(one.currency, *figures, "[green]✓[/]" if one.ties else "[red]✗[/]")
    wide_console().print(titled(f"Member statements of {month.name}: {made} made now", shown))
