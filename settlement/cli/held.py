"""`settlement held`: what is held for a merchant's sake, down to the transfers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from settlement.cli.held_items import HeldFor, Minor, OfCurrency, OwedBy, OwedTo, Since, asked_release
from settlement.cli.ledger import as_json, on_ledger

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.exchange_ledger import Entry
    from settlement.run.ageing import Waiting
    from settlement.run.behind import Behind

MOST = 1_000
ANY_LATER = str(10**9)
"""A window after every one there is: what is chosen is not released in it, only looked at."""


def held(
    merchant: HeldFor,
    currency: OfCurrency = "",
    debtor: OwedBy = "",
    creditor: OwedTo = "",
    since: Since = "",
    at_least: Minor = 0,
    at_most: Minor = 0,
    most: Annotated[int, typer.Option(help="Show so many transfers of an item.", min=1, max=100_000)] = MOST,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """List the items held now for a merchant's sake that `release` would choose, each with the transfers behind it.

    An item is what its pair owed in the window it comes from, rounded once; what was adjusted there stands beside.
    """
    chosen = asked_release((merchant, ANY_LATER), (currency, debtor, creditor, since), (at_least, at_most)).chosen

    async def work(database: Database) -> list[tuple[Waiting, Behind]]:
        from settlement.exchange_directory import coalition, require_merchant
        from settlement.run.ageing import waiting
        from settlement.run.behind import behind
        from settlement.run.service import Runs

        run = await Runs(database).newest_standing()
        async with database.read() as connection:
            await require_merchant(connection, merchant, "merchant")
            here = await coalition(connection)
            today = here.now.astimezone(here.time_zone).date()
            items = [
                one
                for one in (waiting(run.result, today) if run else [])
                if merchant in one.item.parties and chosen.names(one.currency, one.item)
            ]
            return [(one, await behind(connection, one.currency, one.item, most)) for one in items]

    found = on_ledger(work)
    if json:
        typer.echo(as_json({"merchant": merchant, "items": [_plain(one, there) for one, there in found]}))
        return
    if not found:
        typer.echo("No such item is held now.")
    for one, there in found:
        _show(one, there)


def _plain(one: Waiting, there: Behind) -> dict[str, Any]:
    return {
        "currency": one.currency,
        **one.item._asdict(),
        "days": one.days,
        "pair_micros": there.micros,
        "pair_obligations": there.obligations,
        "disputed_transfer": f"transfers/{there.disputed}" if there.disputed else None,
        "adjustments": [adjusted._asdict() for adjusted in there.adjustments],
        "transfers": [_entry(entry) for entry in there.entries],
        "archive": there.left.data["archive"] if there.left else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    from settlement.exchange_ledger import kind_name

    return {
        "transfer": f"transfers/{entry.transfer_id}",
        "ledger_sequence": entry.ledger_sequence,
        "occurred": entry.occurred_at.isoformat(),
        "kind": kind_name(entry.kind),
        "micros": entry.micros,
        "points": entry.points_units,
        "price_micros": entry.price_micros,
    }


def _show(one: Waiting, there: Behind) -> None:
    from rich.console import Console

    from settlement.cli.run_tables import money
    from settlement.cli.tables import listing

    item, console = one.item, Console()
    console.print(
        f"{item.debtor} owes {item.creditor} {one.currency} {money(item.amount, one.currency)} since "
        f"windows/{item.since_window} ({item.because}), {one.days} days",
        soft_wrap=True,
    )
    if there.disputed:
        console.print(f"held for disputes/{item.dispute}, of transfers/{there.disputed}", soft_wrap=True)
        return
    for adjusted in there.adjustments:
        what = f"settlementAdjustments/{adjusted.adjustment}, {adjusted.cause}"
        console.print(f"of it {what}: {money(adjusted.amount, one.currency)}", soft_wrap=True)
    if there.left:
        archives = f"the operator has the archives, the newest {there.left.data['archive']}"
        console.print(
            f"Transfers: {there.obligations}, {there.micros:,} micro-units, rounded once; "
            f"some of windows/{item.since_window} have left the ledger: {archives}, up to {there.left.data['until']}",
            soft_wrap=True,
        )
        return
    rows = [
        (told["transfer"], told["occurred"], told["kind"], f"{told['points']:,}", f"{told['micros']:,}")
        for told in map(_entry, there.entries)
    ]
    columns = ("transfer", "when", "for", "points", "micro-units")
    console.print(listing(f"Transfers: {len(rows)} of {there.obligations}", columns, rows))
    console.print(f"all of them: {there.micros:,} micro-units, rounded once")
