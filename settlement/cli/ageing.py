"""`settlement ageing`: what is carried or held, and for how long."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.ledger import as_json, on_ledger

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.run.ageing import Waiting
    from settlement.run.model import Run


def ageing(
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Ages on this day. [default: the coalition's today]"),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Tell what the newest run leaves unpaid: too small to pay, not due, or held for an excluded participant."""
    from settlement.run.ageing import waiting

    async def work(database: Database) -> tuple[Run | None, date]:
        from settlement.exchange_directory import coalition
        from settlement.run.service import Runs

        async with database.read() as connection:
            here = await coalition(connection)
        return await Runs(database).newest_standing(), here.now.astimezone(here.time_zone).date()

    run, today = on_ledger(work)
    day = on.date() if on else today
    items = waiting(run.result, day) if run else []
    if json:
        typer.echo(as_json(_plain(run, day, items)))
        return
    _show(run, day, items)


def _plain(run: Run | None, day: date, items: list[Waiting]) -> dict[str, object]:
    from settlement.run.ageing import by_bucket

    return {
        "run": run.name if run else None,
        "on": day.isoformat(),
        "buckets": by_bucket(items),
        "items": [{"currency": one.currency, **one.item._asdict(), "days": one.days} for one in items],
    }


def _show(run: Run | None, day: date, items: list[Waiting]) -> None:
    from rich.console import Console

    from settlement.cli.run_tables import money
    from settlement.cli.tables import listing
    from settlement.run.ageing import by_bucket

    console = Console()
    if run is None or not items:
        console.print("Nothing is carried or held." if run else "No window was run yet.")
        return
    console.print(f"{run.name} of windows/{run.window_no}, ages on {day}")
    sums = by_bucket(items)
    rows = [
        (code, *(money(amount, code) for amount in buckets.values()), money(sum(buckets.values()), code))
        for code, buckets in sums.items()
    ]
    columns = ("currency", *(f"{name} days" for name in next(iter(sums.values()))), "in all")
    console.print(listing("Waiting, by age", columns, rows))
    lines = [
        (one.currency, one.item.debtor, one.item.creditor, one.item.because.replace("_", " "), one.item.since,
         str(one.days), money(one.item.amount, one.currency))
        for one in items
    ]  # fmt: skip
    names = ("currency", "debtor", "creditor", "because", "since", "days", "amount")
    console.print(listing(f"Items: {len(items)}", names, lines))
