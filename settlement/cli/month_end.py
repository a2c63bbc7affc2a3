"""`settlement month-end`: from an open window to its evidence, as far as it goes today."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from settlement.cli.evidence import progress_bar
from settlement.cli.files import plain_refusals, refused
from settlement.cli.ledger import as_json, identified, on_ledger, window_number
from settlement.cli.payments import Format
from settlement.cli.plain import PROGRAM
from settlement.cli.words import Why

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.month_end.model import Told


def month_end(
    window: Annotated[str, typer.Argument(help="Number of the window.")],
    into: Annotated[
        Path | None, typer.Option(help="Folder for all files. [default: W and the window's number]", file_okay=False)
    ] = None,
    chosen: Annotated[Format, typer.Option("--format", help="How payment files are written.")] = Format.PAIN001,
    pay_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the bank is to pay. [default: its pay day]")
    ] = None,
    reason: Why = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON when the walk has ended.")] = False,
) -> None:
    """Walk a window from open to paid: close, run, recount, funds, submit, approve, export, payments, papers, evidence.

    Stops where somebody else must act, and says who and what that person types. Type it again to go on: what was done
    is passed over, so it is safe after a crash and safe to repeat. Exit code 1 while it waits for somebody.
    """
    number = window_number(window)
    if number is None:
        refused("say the number of the window: a walk that is repeated must not close the next one",
                next_step=f"{PROGRAM} status")  # fmt: skip
    assert number is not None
    folder = into or Path(f"W{number}")

    async def work(database: Database) -> list[Told]:
        from settlement.month_end.model import Walk
        from settlement.month_end.service import MonthEnd

        actor = await identified(database, "FINANCE_MAKER")
        day = pay_on.date() if pay_on else None
        walk = Walk(number, actor, folder, chosen.value, day, reason, dry_run)
        done: list[Told] = []
        with progress_bar(f"windows/{number}") as progress:
            async for told in MonthEnd(database, walk, progress).steps():
                done.append(told)
                if not json:
                    _tell(told)
        return done

    with plain_refusals():
        done = on_ledger(work)
    waits = [told for told in done if told.state == "waits"]
    if json:
        typer.echo(as_json(_plain(number, done, finished=not waits and not dry_run)))
    elif not waits and not dry_run:
        typer.echo(f"windows/{number} is settled. Check: {PROGRAM} verify {done[-1].files[0]} --database")
    if waits:
        raise typer.Exit(1)


def _tell(told: Told) -> None:
    typer.echo(f"{told.step:<9} {told.state}: {told.text}")
    if told.who:
        typer.echo(f"{'':<9} {told.who}: {_command(told)}")


def _command(told: Told) -> str:
    if not told.command:
        return "waits"
    return told.command if told.command.startswith("python") else f"{PROGRAM} {told.command}"


def _plain(number: int, done: list[Told], *, finished: bool) -> dict[str, Any]:
    from settlement.cli.funds_tables import plain_liquidity

    steps = [
        {**{name: value for name, value in told._asdict().items() if name != "checks"}, "files": list(told.files),
         "command": _command(told) if told.who else "",
         **({"liquidity": plain_liquidity(told.checks)} if told.step == "funds" else {})}
        for told in done
    ]  # fmt: skip
    return {"window": f"windows/{number}", "finished": finished, "steps": steps}
