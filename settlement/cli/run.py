"""`settlement run` and `settlement show`: net a closed window, and look at what came out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import refused
from settlement.cli.ledger import identified, on_ledger, window_number
from settlement.cli.words import CARRY_DAYS_MAX, MINOR_UNITS_MAX

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.funds.model import LiquidityCheck
    from settlement.run.model import Run


class Mode(StrEnum):
    """Netting modes a run offers."""

    GROSS = "gross"
    BILATERAL = "bilateral"
    MULTILATERAL = "multilateral"
    DIRECT = "direct"
    SETOFF = "setoff"


class Legal(StrEnum):
    """The names of `settlement.run.legal.LegalModel`."""

    NOVATION = "novation"
    SETOFF_BY_AGENT = "setoff_by_agent"
    PAYMENT_NETTING = "payment_netting"


def run(
    window: Annotated[str, typer.Argument(help="Number of a closed window.")],
    mode: Annotated[Mode | None, typer.Option(help="Who pays whom. [default: the coalition's terms]")] = None,
    minimum: Annotated[
        list[str] | None,
        typer.Option(help="CUR=AMOUNT: carry what is below so many minor units into the next window."),
    ] = None,
    maximum_age: Annotated[
        list[str] | None,
        typer.Option(help="CUR=DAYS: pay what has been carried so many days, however small it is."),
    ] = None,
    legal: Annotated[Legal | None, typer.Option(help="What the netting is in law. [default: the mode's own]")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the canonical result with its digest.")] = False,
) -> None:
    """Net a closed window. The same window and configuration give the same bytes again, here or on any machine.

    What is left out is taken from the coalition's terms, if any are in force.
    """
    number = window_number(window)
    if number is None:
        refused("a run is of a closed window: say its number")
        return
    minimums = dict(_figure("--minimum", text, MINOR_UNITS_MAX) for text in minimum or [])
    ages = dict(_figure("--maximum-age", text, CARRY_DAYS_MAX) for text in maximum_age or [])

    async def start(database: Database) -> tuple[Run, bool]:
        from settlement.run.asked import Asked
        from settlement.run.legal import LegalModel
        from settlement.run.service import Runs

        actor = await identified(database, "FINANCE_MAKER")
        asked = Asked(mode.value if mode else None, LegalModel(legal.value) if legal else None, minimums, ages)
        return await Runs(database).start(number, asked, actor)

    stored, replayed = on_ledger(start)
    _print(stored, as_json=json, replayed=replayed)


def show(
    window: Annotated[str, typer.Argument(help="Number of a window that was run.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the canonical result with its digest.")] = False,
) -> None:
    """Show the newest run of a window: figures, positions, pairs, payments, and whose funds do not reach for them."""
    number = window_number(window)
    if number is None:
        refused("the open window was not run yet: say the number of a closed one")
        return

    async def read(database: Database) -> tuple[Run, list[LiquidityCheck]]:
        from settlement.funds.service import Funds
        from settlement.run.service import Runs

        run = await Runs(database).newest(number)
        return await Funds(database).check(run.run_id)

    run, checks = on_ledger(read)
    if json:
        from settlement.cli.funds_tables import plain_liquidity
        from settlement.cli.run_tables import to_json

        typer.echo(to_json(run, replayed=False, liquidity=plain_liquidity(checks)))
        return
    from settlement.cli.funds_tables import show_liquidity
    from settlement.cli.run_tables import show_run

    show_run(run, replayed=False)
    show_liquidity(checks)


def _figure(option: str, text: str, most: int) -> tuple[str, int]:
    from exchange.money.currencies import MINOR_EXPONENT

    code, _, amount = text.partition("=")
    digits = amount.isascii() and amount.isdigit() and len(amount) <= len(str(most))
    if code not in MINOR_EXPONENT or not digits or int(amount) > most:
        refused(f"{option} {text}: say a currency and a whole number up to {most}, such as CNY=90")
    return code, int(amount)


def _print(stored: Run, *, as_json: bool, replayed: bool) -> None:
    if as_json:
        from settlement.cli.run_tables import to_json

        typer.echo(to_json(stored, replayed=replayed))
        return
    from settlement.cli.run_tables import show_run

    show_run(stored, replayed=replayed)
