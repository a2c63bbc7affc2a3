"""Summing obligations by directed pair, one at a time: memory grows with the pairs, not with the rows."""

from __future__ import annotations

from collections.abc import Iterable

from settlement.netting.model import Gross, Obligation, Pair


class Tally:
    """Running totals by currency and directed pair."""

    def __init__(self) -> None:
        self._pairs: dict[str, dict[Pair, int]] = {}
        self._held: dict[str, dict[Pair, int]] = {}

    def add(self, debtor: str, creditor: str, currency: str, amount: int, *, held: bool = False) -> None:
        """Count one obligation."""
        totals = (self._held if held else self._pairs).setdefault(currency, {})
        pair = (debtor, creditor)
        totals[pair] = totals.get(pair, 0) + amount

    def by_currency(self) -> dict[str, Gross]:
        """The totals so far, currencies and pairs in name order."""
        return {
            currency: Gross(currency, _in_order(self._pairs, currency), _in_order(self._held, currency))
            for currency in sorted(self._pairs.keys() | self._held.keys())
        }


def tally(obligations: Iterable[Obligation]) -> dict[str, Gross]:
    """Sum obligations by currency and directed pair; their order does not matter."""
    totals = Tally()
    for o in obligations:
        totals.add(o.debtor, o.creditor, o.currency, o.amount, held=o.held)
    return totals.by_currency()


def _in_order(totals: dict[str, dict[Pair, int]], currency: str) -> dict[Pair, int]:
    return dict(sorted(totals.get(currency, {}).items()))
