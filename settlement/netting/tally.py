"""Summing obligations by directed pair, one at a time: memory grows with the pairs, not with the rows."""

from __future__ import annotations

from collections.abc import Iterable

from settlement.netting.model import Gross, Obligation, Pair

PLACES = 1 << 32
"""A pair is one number while it is summed: debtor's place x PLACES + creditor's place."""


class Tally:
    """Running totals by currency and directed pair.

    Among thousands of participants nearly every obligation is a pair of its own. A number for each instead of a tuple
    of names is a third of the memory, and nothing the garbage collector has to go through again and again.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._totals: dict[tuple[str, bool], dict[int, int]] = {}

    def add(self, debtor: str, creditor: str, currency: str, amount: int, *, held: bool = False) -> None:
        """Count one obligation."""
        places = self._places
        key = places.setdefault(debtor, len(places)) * PLACES
        key += places.setdefault(creditor, len(places))
        totals = self._totals.get((currency, held))
        if totals is None:
            totals = self._totals[currency, held] = {}
        totals[key] = totals.get(key, 0) + amount

    def by_currency(self) -> dict[str, Gross]:
        """The totals, currencies and pairs in name order. They are given away: the tally is empty afterwards."""
        names = list(self._places)
        order = {place: rank for rank, place in enumerate(sorted(range(len(names)), key=names.__getitem__))}
        found = {
            currency: Gross(
                currency,
                self._in_order(names, order, (currency, False)),
                self._in_order(names, order, (currency, True)),
            )
            for currency in sorted({currency for currency, _ in self._totals})
        }
        self._totals.clear()
        return found

    def _in_order(self, names: list[str], order: dict[int, int], of: tuple[str, bool]) -> dict[Pair, int]:
        totals = self._totals.get(of, {})
        ordered = sorted(totals, key=lambda key: order[key // PLACES] * PLACES + order[key % PLACES])
        # Popped, so that the sums are not there twice.
        return {(names[key // PLACES], names[key % PLACES]): totals.pop(key) for key in ordered}


def tally(obligations: Iterable[Obligation]) -> dict[str, Gross]:
    """Sum obligations by currency and directed pair; their order does not matter."""
    totals = Tally()
    for o in obligations:
        totals.add(o.debtor, o.creditor, o.currency, o.amount, held=o.held)
    return totals.by_currency()
