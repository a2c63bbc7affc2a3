"""`settlement close-window`: cut the open window off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import identified, on_ledger, window_number

if TYPE_CHECKING:
    from exchange.db.engine import Database


def close_window(
    window: Annotated[str, typer.Argument(help='Number of the window, or "open" for whichever is open.')] = "open",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Cut a window off at once and open the next. What is in it is fixed for ever when the command ends.

    Name the number where a script may run twice: closing a closed window again changes nothing.
    """
    number = window_number(window)

    async def close(database: Database) -> dict[str, object]:
        from settlement.windows.service import Windows

        actor = await identified(database, "FINANCE_MAKER")
        closed, next_no, replayed = await Windows(database).close(number, actor)
        assert closed.closed_at is not None
        return {
            "window": closed.name,
            "opened": closed.opened_at.isoformat(),
            "closed": closed.closed_at.isoformat(),
            "closed_by": closed.closed_by,
            "next_window": f"windows/{next_no}",
            "replayed": replayed,
        }

    result = on_ledger(close)
    if json:
        from json import dumps

        typer.echo(dumps(result))
        return
    again = " (it was closed before)" if result["replayed"] else ""
    typer.echo(f"{result['window']} closed at {result['closed']} by {result['closed_by']}{again}")
    typer.echo(f"{result['next_window']} is open. Next: python -m settlement run {str(result['window'])[8:]}")
