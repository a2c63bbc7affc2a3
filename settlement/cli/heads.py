"""`settlement head`: what commits to a closed window, and what merchants' statements of it are proven against."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import as_json, on_ledger, window_number
from settlement.cli.plain import NotDone

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.proofs.model import Head


def head(
    window: Annotated[str, typer.Argument(help="Number of a closed window.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Commit to a closed window, once for ever, and tell its head; and that of every window before that has none.

    Note the head down where nobody can change it and let merchants know it: a statement that is proven against it says
    what the ledger said then, and the other side of each pair was told the same. GetWindow tells it to all who ask.
    """
    number = window_number(window)
    if number is None:
        refused("the open window has no head: say the number of a closed one")
        return

    async def work(database: Database) -> Head:
        from settlement.proofs.service import Proofs

        return await Proofs(database).commit(number)

    found = on_ledger(work)
    if json:
        typer.echo(as_json({**found.told, "head": found.head}))
        return
    typer.echo(f"windows/{found.window_no}: {found.items:,} obligations of {found.pairs:,} pairs")
    typer.echo(f"head {found.head}")


def proven(number: int, merchant: str) -> Callable[[Database], Awaitable[bytes]]:
    """What proves a merchant's statement; a ledger that was changed since ends the command in plain words."""

    async def work(database: Database) -> bytes:
        from settlement.proofs.service import LedgerDiffers, Proofs

        try:
            return await Proofs(database).proof(number, merchant)
        except LedgerDiffers as differs:
            raise NotDone(str(differs), "python -m exchange audit, which names what was changed") from differs

    return work
