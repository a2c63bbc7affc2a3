"""Windows in the language of the trade, netted one after the other without any database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from settlement.run.model import CarryFigures, Configuration, CurrencyResult
from settlement.run.rules import Inputs, calculate

FEN = 10_000
"""Micro-yuan."""
FIRST_DAY = date(2026, 3, 1)


class Total(NamedTuple):
    """What a pair owes in a window."""

    currency: str
    debtor: str
    creditor: str
    micros: int
    obligations: int = 1


def owes(text: str, currency: str = "CNY") -> Total:
    """A debt of so many fen: "GRO owes TEL 600"; with "µ" behind the figure, of so many micro-yuan."""
    debtor, verb, creditor, figure = text.split()
    assert verb == "owes"
    micros = int(figure.removesuffix("µ")) * (1 if figure.endswith("µ") else FEN)
    return Total(currency, debtor, creditor, micros)


def window(
    number: int,
    *totals: Total,
    before: Sequence[CurrencyResult] = (),
    on: date | None = None,
    **configuration: Any,
) -> list[CurrencyResult]:
    """A window's result; cut off on a day of its own, a week after the one before, unless said."""
    return calculate(
        Inputs(
            window_no=number,
            closed_on=on or FIRST_DAY + timedelta(weeks=number - 1),
            totals=totals,
            before=before,
            configuration=Configuration(**configuration),
            operator="OPR",
        )
    )


def items(carried: Sequence[CarryFigures]) -> list[str]:
    """Carried items as one reads them: "CAF owes OPR 60 since 1"."""
    return [f"{one.debtor} owes {one.creditor} {one.amount} since {one.since_window}" for one in carried]


def payments(one: CurrencyResult) -> dict[str, int]:
    """Payments by who pays whom: {"CAF>OPR": 60}."""
    return {f"{payment.payer}>{payment.payee}": payment.amount for payment in one.payments}
