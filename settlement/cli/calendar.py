"""`settlement calendar`: when each currency is cut off next, and when it is paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from settlement.cli.ledger import as_json, on_ledger

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.calendar.model import CutOff
    from settlement.windows.service import WindowView


class Dates(NamedTuple):
    """What is shown: cut-offs, the open window, and since when the books of holidays say otherwise, by currency."""

    cut_offs: list[CutOff]
    opened: WindowView | None = None
    outdated: dict[str, datetime] | None = None


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
    """Show the next cut-offs and pay days, and when the open window is due.

    Of the calendar that holds, the next months are kept in the database: windows are closed by them and by no others,
    whatever a later edition of the books of holidays says. What lies beyond is as the books say now.
    """
    if file is not None:
        start = after.replace(tzinfo=UTC) if after else datetime.now(UTC)
        found = Dates(_tried(file, start, count))
    else:
        found = on_ledger(_agreed(count))
    if not json:
        _show(found)
        return
    rows = [
        {"currency": one.currency, "at": one.at.isoformat(), "day": one.day.isoformat(),
         "meant": one.meant.isoformat(), "pay_day": one.pay_day.isoformat(), "kept": one.kept}
        for one in found.cut_offs
    ]  # fmt: skip
    opened = found.opened
    plain = {
        "window": opened.window.name if opened else None,
        "due": opened.due_at.isoformat() if opened and opened.due_at else None,
        "cut_offs": rows,
        "outdated": {currency: at.isoformat() for currency, at in (found.outdated or {}).items()},
    }
    typer.echo(as_json(plain))


def _tried(file: Path, start: datetime, count: int) -> list[CutOff]:
    from settlement.cli.proposals import What, read_document
    from settlement.windows.dates import upcoming

    return upcoming(read_document(What.CALENDAR, file), start, count)


def _agreed(count: int) -> Callable[[Database], Awaitable[Dates]]:
    async def work(database: Database) -> Dates:
        from settlement.windows.service import Windows

        windows = Windows(database)
        return Dates(await windows.upcoming(count), await windows.read(None), await windows.outdated())

    return work


def _show(found: Dates) -> None:
    from rich.console import Console

    from settlement.cli.tables import listing

    console = Console()
    if found.opened is not None:
        due = found.opened.due_at
        when = f"is due at {due.isoformat()}" if due else "is closed when somebody closes it"
        console.print(f"{found.opened.window.name} {when}")
    if not found.cut_offs:
        console.print("No calendar is in force. Next: python -m settlement propose calendar FILE")
        return
    rows = [
        (one.currency, f"{one.day:%a} {one.day}", f"{one.at:%m-%d %H:%M}",
         "" if one.meant == one.day else str(one.meant), f"{one.pay_day:%a} {one.pay_day}")
        for one in found.cut_offs
    ]  # fmt: skip
    console.print(listing("Cut-offs", ("currency", "day", "at (UTC)", "moved from", "paid on"), rows))
    if kept := max((one.at for one in found.cut_offs if one.kept), default=None):
        console.print(f"Kept until {kept:%Y-%m-%d}: windows are closed by these. Later ones are as the books say now.")
    for currency, at in (found.outdated or {}).items():
        since = at.isoformat(timespec="minutes")
        console.print(f"{currency}: the books of holidays say otherwise by now, from {since} on; what is kept holds.")
    if found.outdated:
        console.print("Next, to have the new dates: python -m settlement propose calendar FILE")
