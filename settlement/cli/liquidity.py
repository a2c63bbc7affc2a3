"""`settlement liquidity`: what of a file of obligations can settle now?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from settlement.cli.files import opened, plain_refusals, refused, working


def liquidity(
    file: Annotated[
        Path, typer.Argument(help="CSV with debtor,creditor,currency,amount (minor units), optionally id,held.")
    ],
    funds: Annotated[Path, typer.Option(help="CSV with participant,currency,available (minor units).")],
    *,
    whole: Annotated[bool, typer.Option("--whole", help="Items settle whole or not at all (the default).")] = False,
    divisible: Annotated[bool, typer.Option("--divisible", help="Items may settle in part.")] = False,
    pro_rata: Annotated[
        bool, typer.Option("--pro-rata", help="Who cannot pay everything pays the same fraction of each debt.")
    ] = False,
    effort: Annotated[
        int, typer.Option(min=1, max=100, help="How many times the usual effort the proof for whole items is worth.")
    ] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Tell the most that can settle now with the funds at hand, which items, and what everybody has afterwards.

    Everything settles at the same moment, so what comes in pays what goes out. If the funds reach for all items, all
    settle; if not, --whole, --divisible and --pro-rata say how to choose. Who has no line in the funds file has
    nothing. Held items stay. Items without an id are numbered 1, 2, ... in file order. Items are shown in the order of
    their ids, and those between the same two are paid in it, so that the order of the rows does not matter.

    "optimal" is true when it is proven that no more can settle. A very hard queue of whole items is given up before
    that, after a minute or so for each part of it that stands by itself; what is shown can settle all the same, and
    "bound" is what settles at the very most. Try --effort 10 then. The same files and effort always give the same
    answer.
    """
    asked = {"whole": whole, "divisible": divisible, "pro-rata": pro_rata}
    ways = [way for way, wanted in asked.items() if wanted] or ["whole"]
    if len(ways) > 1:
        refused(f"choose one of {', '.join(f'--{way}' for way in ways)}")
    from settlement.liquidity.files import queues, read_funds
    from settlement.liquidity.registry import settle_all
    from settlement.liquidity.rendering import to_json
    from settlement.netting.files import read_obligations

    with plain_refusals():
        with opened(funds) as text:
            available = read_funds(text, str(funds))
        with opened(file) as text:
            obligations = read_obligations(text, str(file))
        with working("Looking for the most that can settle"):
            results = settle_all(queues(obligations, available), ways[0], effort)
    if json:
        typer.echo(to_json(results), nl=False)
        return
    from settlement.cli.liquidity_tables import show

    show(results, obligations, ways[0])
