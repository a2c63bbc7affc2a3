"""`settlement net`: what would a file of obligations net to?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from settlement.cli.files import opened, plain_refusals


class Mode(StrEnum):
    """The names of `settlement.netting.registry.MODES`, written out so that `--help` need not import the solvers."""

    GROSS = "gross"
    BILATERAL = "bilateral"
    MULTILATERAL = "multilateral"
    DIRECT = "direct"
    SETOFF = "setoff"


def net(
    file: Annotated[
        Path, typer.Argument(help="CSV with debtor,creditor,currency,amount (minor units), optionally id,held.")
    ],
    mode: Annotated[Mode, typer.Option(help="Who pays whom.")] = Mode.MULTILATERAL,
    minimum: Annotated[
        int, typer.Option(min=0, help="Carry what is below this many minor units instead of paying it.")
    ] = 0,
    operator: Annotated[str, typer.Option(help="Whose clearing account the multilateral star goes through.")] = "OPR",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Net a file of obligations without any database: finance's what-if tool.

    gross: no set-off. bilateral: each pair pays its difference. multilateral: through the operator's clearing account.
    direct: fewest payments between participants. setoff: the most that cycles of existing debts can clear, without new
    counterparties.

    Items with held = true count in gross and held but are not netted. All figures are whole minor units.
    """
    from settlement.netting.files import read_gross
    from settlement.netting.model import Terms
    from settlement.netting.registry import net_all
    from settlement.netting.rendering import to_json

    with plain_refusals():
        with opened(file) as text:
            by_currency = read_gross(text, str(file))
        results = net_all(by_currency, mode.value, Terms(minimum, operator))
    if json:
        typer.echo(to_json(results), nl=False)
        return
    from settlement.cli.net_tables import show

    show(results, mode.value)
