"""The calculation of a run: pure. Sums by directed pair, one rounding each, then a netting mode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from exchange.money.currencies import micros_per_minor
from exchange.money.rounding import half_up
from settlement.netting.model import Gross, NettingResult, Terms
from settlement.netting.registry import MODES
from settlement.run.model import (
    CarryFigures,
    Configuration,
    CurrencyResult,
    PairFigures,
    PaymentFigures,
    Position,
)

Pair = tuple[str, str]


class PairTotal(Protocol):
    """What the ledger says of a directed pair in a window."""

    @property
    def currency(self) -> str:
        """ISO 4217 code."""
        ...

    @property
    def debtor(self) -> str:
        """Who owes."""
        ...

    @property
    def creditor(self) -> str:
        """Who is owed."""
        ...

    @property
    def micros(self) -> int:
        """How much, exact, in micro-units."""
        ...

    @property
    def obligations(self) -> int:
        """How many obligations that is."""
        ...


def calculate(
    totals: Iterable[PairTotal],
    carried_in: Iterable[tuple[str, CarryFigures]],
    configuration: Configuration,
    operator: str,
) -> list[CurrencyResult]:
    """Net a window: currencies by code, pairs and participants by name, whatever the order of the input.

    Args:
        totals: the window's obligations by directed pair.
        carried_in: by currency code, what the window before left to be paid.
        configuration: mode and minimums.
        operator: whose clearing account stands in the middle.
    """
    micros: dict[str, dict[Pair, tuple[int, int]]] = {}
    for total in totals:
        before = micros.setdefault(total.currency, {}).get((total.debtor, total.creditor), (0, 0))
        micros[total.currency][total.debtor, total.creditor] = (
            before[0] + total.micros,
            before[1] + total.obligations,
        )
    carried: dict[str, dict[Pair, int]] = {}
    for currency, item in carried_in:
        owed = carried.setdefault(currency, {})
        owed[item.debtor, item.creditor] = owed.get((item.debtor, item.creditor), 0) + item.amount
    return [
        _one_currency(code, micros.get(code, {}), carried.get(code, {}), configuration, operator)
        for code in sorted(micros.keys() | carried.keys())
    ]


def _one_currency(
    code: str,
    micros: dict[Pair, tuple[int, int]],
    carried: dict[Pair, int],
    configuration: Configuration,
    operator: str,
) -> CurrencyResult:
    unit = micros_per_minor(code)
    gross = {
        pair: half_up(micros.get(pair, (0, 0))[0], unit) + carried.get(pair, 0)
        for pair in sorted(micros.keys() | carried.keys())
    }
    terms = Terms(configuration.minimums.get(code, 0), operator)
    netted = MODES[configuration.mode](Gross(code, {pair: amount for pair, amount in gross.items() if amount}), terms)
    pairs = []
    for pair, amount in gross.items():
        exact, obligations = micros.get(pair, (0, 0))
        net = netted.pairs.get(pair, 0)
        pairs.append(PairFigures(*pair, exact, amount, carried.get(pair, 0), net, obligations))
    return CurrencyResult(
        currency=code,
        gross=netted.gross,
        bilateral=netted.bilateral,
        net=netted.net_needed,
        paid=sum(p.amount for p in netted.payments if netted.clearing_account != p.payer),
        obligations=sum(pair.obligations for pair in pairs),
        pairs=pairs,
        positions=_positions(gross, netted),
        payments=[PaymentFigures(p.payer, p.payee, p.amount) for p in netted.payments],
        carried=[CarryFigures(c.debtor, c.creditor, c.amount) for c in netted.carried],
    )


def _positions(gross: dict[Pair, int], netted: NettingResult) -> list[Position]:
    names = sorted({name for pair in gross for name in pair})
    carried: dict[str, int] = dict.fromkeys(names, 0)
    for item in netted.carried:
        for name in (item.debtor, item.creditor):
            if name != netted.clearing_account:
                carried[name] += item.amount
    return [
        Position(
            participant=name,
            receivable=sum(amount for (_, creditor), amount in gross.items() if creditor == name),
            payable=sum(amount for (debtor, _), amount in gross.items() if debtor == name),
            carried=carried[name],
        )
        for name in names
    ]


def canonical(
    window_no: int, configuration: Configuration, before: str | None, result: Sequence[CurrencyResult]
) -> bytes:
    """The one written form of a result: no identifiers, no times, no order of arrival in it.

    Args:
        window_no: the window.
        configuration: what was asked.
        before: digest of the run whose carried items came in; None for the first window.
        result: from `calculate`.
    """
    document: dict[str, Any] = {
        "window": window_no,
        "mode": configuration.mode,
        "minimums": dict(sorted(configuration.minimums.items())),
        "before": before,
        "currencies": [
            {
                "currency": one.currency,
                "gross": one.gross,
                "bilateral": one.bilateral,
                "net": one.net,
                "paid": one.paid,
                "obligations": one.obligations,
                "pairs": [pair._asdict() for pair in one.pairs],
                "positions": [position._asdict() for position in one.positions],
                "payments": [payment._asdict() for payment in one.payments],
                "carried": [item._asdict() for item in one.carried],
            }
            for one in result
        ],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(document: bytes) -> str:
    """SHA-256 of a canonical result, hexadecimal."""
    return hashlib.sha256(document).hexdigest()


def parsed(document: str) -> list[CurrencyResult]:
    """A canonical result read back."""
    return [
        CurrencyResult(
            **{name: value for name, value in one.items() if name not in _LISTS},
            pairs=[PairFigures(**row) for row in one["pairs"]],
            positions=[Position(**row) for row in one["positions"]],
            payments=[PaymentFigures(**row) for row in one["payments"]],
            carried=[CarryFigures(**row) for row in one["carried"]],
        )
        for one in json.loads(document)["currencies"]
    ]


_LISTS = frozenset({"pairs", "positions", "payments", "carried"})
