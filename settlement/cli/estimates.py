"""`settlement set-estimate | confirm-estimate`: how much of a currency's points will never be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import as_json, identified, on_ledger
from settlement.cli.words import NUMBER_MAX, ForTheRecord

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.breakage.model import Estimate

Currency = Annotated[str, typer.Argument(help="Code of a points currency.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def set_estimate(
    currency: Currency,
    expected_bps: Annotated[int, typer.Argument(help="Expected breakage, basis points.", min=0, max=9_999)],
    reason: ForTheRecord,
    from_window: Annotated[int, typer.Option(help="First window it holds for.", min=1, max=NUMBER_MAX)] = 1,
    *,
    json: Json = False,
) -> None:
    """Set an estimate. It counts once another person has confirmed it; its catch-up falls into its first window."""

    async def work(database: Database) -> Estimate:
        from settlement.breakage.service import Breakage

        actor = await identified(database, "FINANCE_MAKER")
        return (await Breakage(database).set(currency, expected_bps, from_window, reason, actor))[0]

    _say(on_ledger(work), json=json)


def confirm_estimate(
    currency: Currency,
    version: Annotated[int, typer.Option(help="Which version was looked at.", min=1, max=NUMBER_MAX)],
    *,
    json: Json = False,
) -> None:
    """Confirm the newest estimate somebody else set."""

    async def work(database: Database) -> Estimate:
        from settlement.breakage.service import Breakage

        actor = await identified(database, "FINANCE_CHECKER")
        return (await Breakage(database).confirm(currency, version, actor))[0]

    _say(on_ledger(work), json=json)


def _say(estimate: Estimate, *, json: bool) -> None:
    if json:
        typer.echo(as_json({"name": estimate.name, **estimate._asdict()}))
        return
    confirmed = f"confirmed by {estimate.confirmed_person}" if estimate.confirmed_person else "nobody confirmed it yet"
    figure = f"{estimate.expected_bps} bp from windows/{estimate.from_window}"
    typer.echo(f"{estimate.name}: {figure}, set by {estimate.set_person}, {confirmed}")
