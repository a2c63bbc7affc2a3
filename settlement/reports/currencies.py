"""What a statement and a summary say of conversion between currencies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from settlement.reports.model import CURRENCY, Cell, Column, Kind, Table
from settlement.reports.settled import SettledWindow
from settlement.run.model import CurrencyResult

TITLES = {
    "converted_out": "Converted into {other}",
    "converted_in": "Converted from {other}",
    "fx_difference": "FX difference of rounding {other} by item",
}
COLUMNS = (
    Column("participant", "Participant"),
    Column("from_currency", "From"),
    Column("from_receive", "Receives, minor units", Kind.WHOLE),
    Column("from_pay", "Pays, minor units", Kind.WHOLE),
    Column(CURRENCY, "Into"),
    Column("rate", "Rate"),
    Column("via", "Through"),
    Column("position_receive", "Receives, by position", Kind.MONEY),
    Column("position_pay", "Pays, by position", Kind.MONEY),
    Column("item_receive", "Receives, by item", Kind.MONEY),
    Column("item_pay", "Pays, by item", Kind.MONEY),
    Column("gain", "More by item", Kind.MONEY),
    Column("loss", "Less by item", Kind.MONEY),
)


def leg_lines(one: CurrencyResult, participant: str) -> list[tuple[str, str, int, int]]:
    """(line, what, receivable, payable) of a participant's conversions in a currency."""
    return [
        (
            leg.because,
            TITLES[leg.because].format(other=leg.other_currency),
            leg.amount if leg.creditor == participant else 0,
            leg.amount if leg.debtor == participant else 0,
        )
        for leg in one.legs
        if participant in (leg.debtor, leg.creditor)
    ]


def conversions(settled: SettledWindow, participants: Iterable[str] | None = None) -> list[Table]:
    """Positions that were converted, both ways, with the rate: everybody's, or some; no table where there are none."""
    rows: list[Sequence[Cell]] = [
        [
            one.participant,
            one.from_currency,
            *_sides(one.net),
            one.into_currency,
            f"{one.numerator}/{one.denominator}",
            one.via,
            *_sides(one.per_position),
            *_sides(one.per_item),
            *_sides(one.difference),
        ]
        for result in settled.run.result
        for one in result.converted
        if participants is None or one.participant in participants
    ]
    return [Table("conversions", "Converted", COLUMNS, rows)] if rows else []


def rates(settled: SettledWindow) -> list[Table]:
    """Every rate of the set a run converted by; no table where nothing was to be converted."""
    fx = settled.run.configuration.fx
    if fx is None:
        return []
    columns = (
        Column("from_currency", "From"),
        Column("to_currency", "To"),
        Column("numerator", "Units", Kind.WHOLE),
        Column("denominator", "for units", Kind.WHOLE),
        Column("source", "Source"),
        Column("as_of", "As of"),
    )
    return [Table("rates", f"Rates of {fx.fx.title}", columns, [list(one) for one in sorted(fx.fx.rates)])]


def note(settled: SettledWindow) -> list[str]:
    """Which rates were used, and what was rounded."""
    fx = settled.run.configuration.fx
    if fx is None:
        return []
    how = fx.basis.replace("per_", "")
    return [f"Converted by the rates of {fx.fx.title} (approved as {fx.digest}), rounded by {how}."]


def _sides(net: int) -> tuple[int, int]:
    return max(net, 0), max(-net, 0)
