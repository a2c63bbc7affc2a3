"""`settlement net`: what would a file of obligations net to?"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import opened, plain_refusals, refused, working
from settlement.csv_rows import one_spelling

if TYPE_CHECKING:
    from settlement.fx.model import Converted, FxSet
    from settlement.netting.model import Gross


class Mode(StrEnum):
    """The names of `settlement.netting.registry.MODES`, written out so that `--help` need not import the solvers."""

    GROSS = "gross"
    BILATERAL = "bilateral"
    MULTILATERAL = "multilateral"
    DIRECT = "direct"
    SETOFF = "setoff"


class Per(StrEnum):
    """What is rounded when currencies are brought into one: the names of `settlement.fx.model.Basis`, shortened."""

    ITEM = "item"
    POSITION = "position"


def net(
    file: Annotated[
        Path, typer.Argument(help="CSV with debtor,creditor,currency,amount (minor units), optionally id,held.")
    ],
    mode: Annotated[Mode, typer.Option(help="Who pays whom.")] = Mode.MULTILATERAL,
    minimum: Annotated[
        int, typer.Option(min=0, help="Carry what is below this many minor units instead of paying it.")
    ] = 0,
    operator: Annotated[str, typer.Option(help="Whose clearing account the multilateral star goes through.")] = "OPR",
    fx: Annotated[
        Path | None, typer.Option(help="Set of rates (YAML or JSON) to bring all currencies into one.")
    ] = None,
    into: Annotated[str | None, typer.Option(help="The currency everything is brought into, such as CNY.")] = None,
    per: Annotated[Per, typer.Option(help="Round each item, or each participant's net position once.")] = Per.ITEM,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Hold all items of this participant; may be said several times.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Net a file of obligations without any database: finance's what-if tool.

    gross: no set-off. bilateral: each pair pays its difference. multilateral: through the operator's clearing account.
    direct: fewest payments between participants. setoff: the most that cycles of existing debts can clear, without new
    counterparties.

    Items with held = true, or of somebody excluded, count in gross and held but are not netted. All figures are whole
    minor units. docs/what_if.md tells what each key of --json means.

    With --fx and --into what is owed in other currencies is converted first, and both ways of rounding are shown.
    Positions that were converted go through the operator, so --per position is for multilateral and direct only.
    """
    from settlement.netting.files import read_gross
    from settlement.netting.model import Terms
    from settlement.netting.registry import net_all
    from settlement.netting.rendering import written

    operator = one_spelling(operator)
    if not operator or ">" in operator or not operator.isprintable():
        refused(f"--operator {operator!r}: name whose clearing account it is, without a '>'")
    excluded = frozenset(map(one_spelling, exclude or ()))
    with plain_refusals():
        rates = _rates(fx, into, mode, per)
        if rates is not None:
            by_currency, positions = _converted(file, rates, into or "", per, operator, excluded)
        else:
            with opened(file) as text:
                by_currency, positions = read_gross(text, str(file), excluded), []
            if excluded:
                _all_there(excluded, {name for gross in by_currency.values() for name in gross.participants}, file)
        with working("Netting"):
            results = net_all(by_currency, mode.value, Terms(minimum, operator))
    if json:
        from settlement.fx.rendering import to_plain

        sys.stdout.writelines(written(results, to_plain(rates, f"per_{per}", positions) if rates else None))
        return
    from settlement.cli.net_tables import show, show_converted

    show(results, mode.value)
    if rates is not None:
        show_converted(positions, per.value)


def _rates(fx: Path | None, into: str | None, mode: Mode, per: Per) -> FxSet | None:
    """The set of rates asked for, when it goes with the rest of what was asked; None: nothing is converted."""
    if fx is None and into is None:
        return None
    if fx is None or into is None:
        refused("--fx and --into go together: the rates, and the currency everything is brought into")
        return None
    from exchange.money.currencies import MINOR_EXPONENT
    from settlement.fx.files import BadFxFile, read_fx
    from settlement.fx.into_one import BY_POSITION_MODES

    if into not in MINOR_EXPONENT:
        refused(f"--into {into}: no ISO 4217 currency")
    if per is Per.POSITION and mode.value not in BY_POSITION_MODES:
        refused(f"--per position does not go with --mode {mode}: a converted position is owed to or by the operator")
    try:
        return read_fx(fx)
    except BadFxFile as wrong:
        refused(str(wrong), wrong)
        raise


def _all_there(excluded: frozenset[str], named: set[str], file: Path) -> None:
    """Who is excluded must be in the file: a misspelt name would look like an answer."""
    for name in sorted(excluded - named):
        refused(f"--exclude {name}: nobody in {file} is called so")


def _converted(
    file: Path, fx: FxSet, into: str, per: Per, operator: str, excluded: frozenset[str]
) -> tuple[dict[str, Gross], list[Converted]]:
    """The file brought into one currency, with what was converted."""
    from exchange.refusals import Refusal
    from settlement.fx.into_one import into_one, summed
    from settlement.fx.model import Basis
    from settlement.netting.files import read_items

    try:
        with opened(file) as text:
            totals = summed(read_items(text, str(file), excluded), fx, into)
        _all_there(excluded, {name for debtor, creditor, _, _ in totals for name in (debtor, creditor)}, file)
        gross, positions = into_one(totals, fx, into, Basis(f"per_{per}"), operator)
    except Refusal as wrong:
        refused(str(wrong), wrong)
        raise
    return {into: gross} if totals else {}, positions
