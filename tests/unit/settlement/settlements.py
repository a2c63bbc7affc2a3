"""Settled windows as reports take them, without any database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from settlement.reports.lines import KindTotal
from settlement.reports.settled import SettledWindow
from settlement.run.canonical import digest_of
from settlement.run.life import Life, RunState, Transition
from settlement.run.model import Configuration, CurrencyResult, Run
from settlement.run.rules import Inputs, calculate

CLOSED_AT = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
NAMES = {"AIR": "Air 航空", "BNK": "Bank", "CAF": "Café", "GRO": "Grocer", "TEL": "Telecom", "OPR": "Operator"}


def settled_window(
    kinds: Sequence[KindTotal],
    configuration: Configuration,
    before: Sequence[CurrencyResult] = (),
    window_no: int = 1,
) -> SettledWindow:
    """An approved run of a window that held these obligations; closed on 1 April in Shanghai."""
    zone = ZoneInfo("Asia/Shanghai")
    closed_on = CLOSED_AT.astimezone(zone).date()
    result = calculate(Inputs(window_no, closed_on, kinds, before, configuration, "OPR"))
    approved = Transition(1, "", RunState.APPROVED.value, CLOSED_AT, "x", None, "", None)
    run = Run(
        run_id=UUID(int=1),
        window_no=window_no,
        configuration=configuration,
        digest=digest_of(b"digest"),
        created_at=CLOSED_AT,
        created_by="x",
        closed_on=closed_on,
        result=result,
        life=Life([approved]),
    )
    return SettledWindow(
        run=run,
        opened_at=datetime(2026, 2, 28, 16, 0, tzinfo=UTC),
        closed_at=CLOSED_AT,
        operator="OPR",
        time_zone=zone,
        names=NAMES,
        kinds=kinds,
    )


def owed(debtor: str, creditor: str, kind: str, minor: int, currency: str = "CNY", unit: int = 10_000) -> KindTotal:
    """A pair's total of a kind, in minor units."""
    return KindTotal(currency, debtor, creditor, kind, minor * unit, 1)


PERIOD_A = [
    owed("GRO", "TEL", "earn", 144_000),
    owed("CAF", "AIR", "earn", 50_100),
    owed("TEL", "CAF", "redeem", 50_000),
    owed("BNK", "GRO", "discount", 60_000),
    owed("TEL", "GRO", "discount", 12_345),
    owed("AIR", "TEL", "redeem", 20_000),
]
"""The rulebook's first worked period."""
