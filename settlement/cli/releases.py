"""`settlement release`: chosen items that are held enter netting again, when another person approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.held_items import HeldFor, Minor, OfCurrency, OwedBy, OwedTo, Since, asked_release
from settlement.cli.ledger import identified, on_ledger
from settlement.cli.plain import PROGRAM, NotDone
from settlement.cli.proposals import show
from settlement.cli.words import Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.proposals.model import Proposal
    from settlement.run.ageing import Waiting


def release(
    merchant: HeldFor,
    window: Annotated[str, typer.Argument(help="Number of the window whose run takes them in.")],
    currency: OfCurrency = "",
    debtor: OwedBy = "",
    creditor: OwedTo = "",
    since: Since = "",
    at_least: Minor = 0,
    at_most: Minor = 0,
    reason: Why = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Ask that held items enter netting again in a window: all of a merchant's, or those the options choose.

    What holds is proposed again with this release in it; another person approves it. `ageing` lists what is held.
    """
    asked = asked_release((merchant, window), (currency, debtor, creditor, since), (at_least, at_most))

    async def work(database: Database) -> tuple[Proposal, list[Waiting]]:
        from exchange.refusals import WindowState
        from settlement.exchange_directory import coalition
        from settlement.proposals.service import Proposals
        from settlement.proposals.standing import exclusions
        from settlement.run.ageing import waiting
        from settlement.run.service import Runs

        actor = await identified(database, "FINANCE_MAKER")
        async with database.read() as connection:
            present = await exclusions(connection)
            here = await coalition(connection)
        if merchant in present.names():
            raise NotDone(
                f"{merchant} is excluded, and nothing of it enters netting",
                f"{PROGRAM} propose exclusions FILE without it, let another approve, then release",
            )
        try:
            found = (await Proposals(database).propose_release(asked, actor, reason))[0]
        except WindowState as too_late:
            raise NotDone(
                str(too_late), f"say a later window: {PROGRAM} status lists what is not finished"
            ) from too_late
        run = await Runs(database).newest_standing()
        items = waiting(run.result, here.now.astimezone(here.time_zone).date()) if run else []
        return found, [
            one for one in items if merchant in one.item.parties and asked.chosen.names(one.currency, one.item)
        ]

    found, items = on_ledger(work)
    show(found, json=json)
    if json:
        return
    from settlement.cli.run_tables import money

    for one in items:
        what = f"{one.item.debtor} owes {one.item.creditor} since windows/{one.item.since_window}"
        typer.echo(f"held now, and released by it: {one.currency} {money(one.item.amount, one.currency)}, {what}")
    if items:
        typer.echo(f"The transfers behind each: {PROGRAM} held {merchant}, with the same options")
    else:
        typer.echo("No item is held now that it would release.")
    if found.decision is None:
        typer.echo(f"Next, by another person: {PROGRAM} approve {found.name} --digest {found.digest[:12]}")
