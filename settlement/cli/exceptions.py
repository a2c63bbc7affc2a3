"""`settlement exceptions | resolve`: what no rule could match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import identified, on_ledger
from settlement.cli.words import NUMBER_MAX, in_one_line

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.payments.exceptions import PaymentException

ROWS_MAX = 10_000

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def exceptions(
    *,
    ended: Annotated[bool, typer.Option("--all", help="Those that somebody ended too.")] = False,
    json: Json = False,
) -> None:
    """Show bank lines that nothing could be done with. Exit code 1 while one waits."""

    async def work(database: Database) -> list[PaymentException]:
        from settlement.payments.exceptions import Exceptions

        return await Exceptions(database).page(0, ROWS_MAX, ended=ended)

    found = on_ledger(work)
    from settlement.cli import payment_tables

    if json:
        typer.echo(payment_tables.exceptions_to_json(found))
    else:
        payment_tables.show_exceptions(found)
    if any(one.resolved_at is None for one in found):
        raise typer.Exit(1)


def resolve(
    number: Annotated[int, typer.Argument(help="Number of the exception.", min=1, max=NUMBER_MAX)],
    note: Annotated[str, typer.Option(help="What was found, for the record.", callback=in_one_line(1))],
    payment: Annotated[str, typer.Option(help="EndToEndId of the payment it is. Left out: none of ours.")] = "",
    *,
    json: Json = False,
) -> None:
    """End an exception: it was a payment's booking after all, or none of ours. Not by whoever exported the payment."""

    async def work(database: Database) -> PaymentException:
        from settlement.payments.exceptions import Exceptions

        actor = await identified(database, "FINANCE_CHECKER")
        return (await Exceptions(database).resolve(number, payment or None, note, actor))[0]

    found = on_ledger(work)
    from settlement.cli import payment_tables

    if json:
        typer.echo(payment_tables.exceptions_to_json([found]))
        return
    payment_tables.show_exceptions([found])
