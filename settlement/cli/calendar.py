"""`settlement calendar`: when each currency is cut off next, and when it is paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import as_json, on_ledger

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.calendar.model import CutOff
    from settlement.windows.service import WindowView


def calendar(
    count: Annotated[int, typer.Option(min=1, max=400, help="So many cut-offs of each currency.")] = 5,
    file: Annotated[
        Path | None, typer.Option(help="Try a calendar that is not agreed: YAML or JSON as for `propose calendar`.")
    ] = None,
    after: Annotated[
        datetime | None, typer.Option(help="With --file: from this moment on (UTC). [default: now]")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the next cut-offs and pay days, and when the open window is due."""
    if file is not None:
        start = after.replace(tzinfo=UTC) if after else datetime.now(UTC)
        found, opened = _tried(file, start, count), None
    else:
        found, opened = on_ledger(_agreed(count))
    if json:
        rows = [
            {"currency": one.currency, "at": one.at.isoformat(), "day": one.day.isoformat(),
             "meant": one.meant.isoformat(), "pay_day": one.pay_day.isoformat()}
            for one in found
        ]  # fmt: skip
        due = opened.due_at.isoformat() if opened and opened.due_at else None
        typer.echo(as_json({"window": opened.window.name if opened else None, "due": due, "cut_offs": rows}))
        return
    _show(found, opened)


def _tried(file: Path, start: datetime, count: int) -> list[CutOff]:
    from settlement.cli.proposals import What, read_document
    from settlement.windows.dates import upcoming

    return upcoming(read_document(What.CALENDAR, file), start, count)


def _agreed(count: int) -> Callable[[Database], Awaitable[tuple[list[CutOff], WindowView]]]:
    async def work(database: Database) -> tuple[list[CutOff], WindowView]:
        from settlement.windows.service import Windows

        windows = Windows(database)
        return await windows.upcoming(count), await windows.read(None)

    return work


def _show(found: list[CutOff], opened: WindowView | None) -> None:
    from rich.console import Console

    from settlement.cli.tables import listing

    console = Console()
    if opened is not None:
        due = f"is due at {opened.due_at.isoformat()}" if opened.due_at else "is closed when somebody closes it"
        console.print(f"{opened.window.name} {due}")
    if not found:
        console.print("No calendar is in force. Next: python -m settlement propose calendar FILE")
        return
    rows = [
        (one.currency, one.at.isoformat(timespec="minutes"), f"{one.day:%a} {one.day}",
         "" if one.meant == one.day else f"moved from {one.meant}", f"{one.pay_day:%a} {one.pay_day}")
        for one in found
    ]  # fmt: skip
    console.print(listing("Cut-offs", ("currency", "at (UTC)", "day", "", "paid on"), rows))
