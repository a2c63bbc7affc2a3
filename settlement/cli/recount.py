"""`settlement recount`: count a window again from its transfers, and hold its run against that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import progress, refused
from settlement.cli.ledger import as_json, identified, on_ledger, window_number

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.recount.model import Recount


def recount(
    window: Annotated[str, typer.Argument(help="Number of a window that was run.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Count what a window's transfers left owing, and hold its newest run against it. Exit code 1 when they differ.

    A run is netted from totals that were kept while points moved. This counts every transfer instead, and keeps the
    outcome: without a recount of exactly this run that passed, nobody can submit or approve it. Submitting a run that
    was not recounted does this by itself.
    """
    number = window_number(window)
    if number is None:
        refused("the open window was not run yet: say the number of a closed one")
        return

    async def work(database: Database) -> Recount:
        from settlement.recount.service import Recounts
        from settlement.run.service import Runs

        actor = await identified(database, "FINANCE_MAKER", "FINANCE_CHECKER")
        run = await Runs(database).newest(number)
        with progress("Counting obligations", shown=sys.stderr.isatty()) as told:
            return await Recounts(database).recount(run.run_id, actor, told)

    found = on_ledger(work)
    if json:
        typer.echo(as_json(_plain(found)))
    else:
        _show(found)
    if not found.passed:
        raise typer.Exit(1)


def _plain(found: Recount) -> dict[str, object]:
    return {
        "run": f"runs/{found.run_id}",
        "window": f"windows/{found.window_no}",
        "run_digest": found.run_digest,
        "passed": found.passed,
        "transfers": found.counted.transfers,
        "obligations": found.counted.obligations,
        "digest": found.digest,
        "at": found.at.isoformat(),
        "actor": found.actor,
        "pairs": [{**pair._asdict(), **figures._asdict()} for pair, figures in found.counted.pairs.items()],
        "mismatches": [
            {**one.pair._asdict(), "run": one.run._asdict(), "transfers": one.transfers._asdict()}
            for one in found.mismatches
        ],
    }


def _show(found: Recount) -> None:
    from rich.console import Console

    from settlement.cli.tables import listing, money

    console = Console()
    counted = found.counted
    console.print(f"runs/{found.run_id} of windows/{found.window_no}", highlight=False)
    console.print(
        f"{counted.transfers:,} transfers left {counted.obligations:,} obligations of {len(counted.pairs):,} pairs"
    )
    console.print(f"digest {found.digest}", highlight=False)
    if found.passed:
        console.print("passed: the run says exactly what the transfers say")
        return
    columns = ("debtor", "creditor", "currency", "run: micro-units", "obligations", "transfers: micro-units", "count")
    rows = [
        (
            *(one.pair.debtor, one.pair.creditor, one.pair.currency),
            *(money(one.run.micros), money(one.run.obligations)),
            *(money(one.transfers.micros), money(one.transfers.obligations)),
        )
        for one in found.mismatches
    ]
    console.print(listing("NOT passed: the run says another thing than the transfers", columns, rows))
    console.print("Nobody can submit or approve this run. Next: python -m exchange audit", highlight=False)
