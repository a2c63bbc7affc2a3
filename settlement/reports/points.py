"""Reports of points: the liability rolled forward, and breakage income. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from settlement.breakage.model import Recognition
from settlement.liability.model import FALLS, RISES, Figure, Roll
from settlement.reports.figures import CURRENCY
from settlement.reports.model import Cell, Column, Kind, Report, Table

TITLES = {
    "opening": "Opening",
    "issued": "Issued",
    "converted_in": "Converted in",
    "given_back": "Given back",
    "added": "Added otherwise",
    "redeemed": "Redeemed",
    "converted_out": "Converted out",
    "expired": "Expired",
    "taken_back": "Taken back",
    "repaid": "Against overdrafts",
    "removed": "Removed otherwise",
    "closing": "Closing",
    "in_ledger": "In the ledger",
}
OWNER = (Column("points", "Points"), Column("issuer", "Issuer"), Column("funder", "Funder"))


def liability(rolls: Sequence[Roll], first: int, last: int, as_of: datetime) -> Report:
    """Opening + issued + in - redeemed - out - expired = closing, in points and at issue price, beside the ledger's."""
    ties = all(roll.ties for roll in rolls)
    return Report(
        name="points-liability",
        title="Points liability roll-forward",
        about=[
            ("first_window", "From", f"windows/{first}"),
            ("last_window", "To", f"windows/{last}"),
            ("ties", "Ties to the ledger", "yes" if ties else "NO"),
        ],
        as_of=as_of,
        tables=[_points(rolls), _value(rolls)],
        notes=[
            "Opening and all that follows it to Added otherwise, less all from Redeemed to Removed otherwise: Closing.",
            "Value: points at the price they were issued at. Reserved points are still owed and stay in.",
        ],
    )


def breakage(code: str, rows: Sequence[Recognition], money: str, as_of: datetime) -> Report:
    """What each window recognised of what will never be used, and what a new estimate caught up."""
    figures = ("issued", "used", "expired", "recognised", "withdrawn", "catch_up_recognised", "catch_up_withdrawn",
               "cumulative", "remaining")  # fmt: skip
    columns = [CURRENCY, Column("window", "Window", Kind.WHOLE), Column("version", "Version", Kind.WHOLE)]
    columns += [Column("expected_bps", "Expected, bp", Kind.WHOLE)]
    columns += [Column(name, name.replace("_", " ").capitalize(), Kind.MICROS) for name in figures]
    cells: list[Sequence[Cell]] = [
        [money, row.window_no, row.version, row.expected_bps, *(getattr(row, name) for name in figures)] for row in rows
    ]
    return Report(
        name="breakage",
        title=f"Breakage of {code}",
        about=[("currency", "Points", code), ("method", "Method", "proportional to use")],
        as_of=as_of,
        tables=[Table("windows", "By window", columns, cells)],
        notes=[
            "Expected breakage x used / (issued - expected breakage); not below what expired nor above what is unused.",
            "A new estimate holds for all that happened: the difference is the catch-up of the window it begins in.",
        ],
    )


def _points(rolls: Sequence[Roll]) -> Table:
    names = ("opening", *RISES, *FALLS, "closing", "in_ledger")
    columns = [*OWNER, *(Column(name, TITLES[name], Kind.WHOLE) for name in names)]
    return Table(
        "units", "Points", columns, [[*roll.owner, *(_figure(roll, n).units for n in names)] for roll in rolls]
    )


def _value(rolls: Sequence[Roll]) -> Table:
    names = ("opening", *RISES, *FALLS, "closing", "in_ledger")
    columns = [CURRENCY, *OWNER, *(Column(name, TITLES[name], Kind.MICROS) for name in names)]
    rows: list[Sequence[Cell]] = [
        [roll.money, *roll.owner, *(_figure(roll, name).micros for name in names)] for roll in rolls
    ]
    return Table("value", "Value at issue price", columns, rows)


def _figure(roll: Roll, name: str) -> Figure:
    if name in RISES + FALLS:
        return roll.of(name)
    found: Figure = getattr(roll, name)
    return found
