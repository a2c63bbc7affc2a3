"""`python -m exchange demo`: one business day, played through a real server and settled."""

from __future__ import annotations

import json as json_text
from typing import Annotated

import typer

ADDS_UP, DOES_NOT_ADD_UP, NOT_PLAYED = 0, 1, 2
"""Exit codes: everything adds up; something does not, or the audit found something; the demo could not be played."""
_SEED = 20260301

GOING_ON = """\
Serve it:   python -m exchange serve      (PostgreSQL comes with it unless EXCHANGE_DATABASE_URL names one; see --help)
Call it:    exchange/v1/*_pb2_grpc.py are the stubs, protos/ tells every call, the README has a first conversion
Settle it:  python -m settlement --help   (close a window, run the netting, show it; or net a file of obligations)"""


def demo(
    members: Annotated[int, typer.Option(min=1, help="How many members take part.")] = 5_000,
    movements: Annotated[
        int, typer.Option(min=1, help="How many earns, redemptions, discounts and conversions.")
    ] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed plays the same day.")] = _SEED,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Play a business day of a coalition of thirty merchants, settle it, and audit the ledger.

    Starts an exchange of its own on a fresh database, embedded or on the server EXCHANGE_DATABASE_URL names; calls it
    through the generated stubs as merchants' systems would; leaves nothing behind. Rates are those of
    examples/published_rates.csv.

    Exits 0 when every answer was as foreseen, nets sum to zero, payments settle them and the audit finds nothing.
    """
    from exchange.client.caller import Refused
    from exchange.client.tables import wide_console
    from exchange.demo.bar import shown_bar
    from exchange.demo.day import play_day
    from exchange.demo.published import BadRates
    from exchange.demo.report import as_document
    from exchange.demo.tables import show
    from exchange.demo.workload import make_plan, make_world
    from exchange.sandbox import SandboxFailed, run

    try:
        world = make_world()
        plan = make_plan(world, members=members, movements=movements, seed=seed)
        with shown_bar() as bar:
            result = run(play_day(world, plan, bar))
    except (BadRates, OSError, Refused, SandboxFailed) as failed:
        typer.echo(f"The demo could not be played: {failed}", err=True)
        raise typer.Exit(NOT_PLAYED) from failed
    if json:
        typer.echo(json_text.dumps(as_document(result), indent=2))
    else:
        console = wide_console()
        show(result, console)
        console.print(GOING_ON, markup=False, soft_wrap=True)
    raise typer.Exit(ADDS_UP if result.passed else DOES_NOT_ADD_UP)
