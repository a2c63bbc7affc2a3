"""`settlement drill default` and `settlement default`: try a default out, and declare one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import as_json, identified, on_ledger, window_number
from settlement.cli.proposals import show_asked
from settlement.cli.words import Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.defaults.service import Drill
    from settlement.proposals.model import Proposal

Merchant = Annotated[str, typer.Argument(help="Id of a merchant.")]
Window = Annotated[str, typer.Argument(help="Number of a window that was run.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

drill = typer.Typer(no_args_is_help=True, help="Try out what would follow: dry runs that change nothing.")


@drill.command("default")
def drill_default(merchant: Merchant, window: Window, *, json: Json = False) -> None:
    """Show who would stand in if a merchant did not pay what a window's run asks of it, and the run without it.

    Who stands in is what `default` would post. The run without the merchant is a simulation that is never posted:
    beside it stands what changes for everybody else. Nothing is written.
    """
    number = _closed(window)

    async def work(database: Database) -> Drill:
        from settlement.defaults.service import Defaults

        return await Defaults(database).drill(merchant, number)

    found = on_ledger(work)
    from settlement.cli import default_tables

    if json:
        typer.echo(as_json(default_tables.plain(found)))
        return
    default_tables.show(found)


def default(
    merchant: Merchant,
    window: Window,
    reason: Why = "",
    *,
    json: Json = False,
) -> None:
    """Declare that a merchant does not pay a window's run; another person approves, and who stands in is posted."""
    number = _closed(window)

    async def work(database: Database) -> Proposal:
        from settlement.defaults.model import DefaultDeclaration
        from settlement.proposals.service import Proposals

        actor = await identified(database, "FINANCE_MAKER")
        return (await Proposals(database).propose(DefaultDeclaration(merchant, number), actor, reason))[0]

    found = on_ledger(work)
    show_asked(found, json=json)


def _closed(window: str) -> int:
    number = window_number(window)
    if number is None:
        refused("nobody defaults on the open window: say the number of one that was run")
    assert number is not None
    return number
