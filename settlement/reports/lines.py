"""What stands behind a pair's rounded total: a line for each kind of obligation, in minor units that add up. Pure.

The pair is rounded once; its kinds are then given whole minor units by largest remainder, ties by kind, so that lines
of a statement always sum to the figure that was netted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exchange.money.currencies import micros_per_minor
from settlement.run.model import CurrencyResult


class KindTotal(NamedTuple):
    """What a directed pair owes in a window for one kind of obligation, exact."""

    currency: str
    debtor: str
    creditor: str
    kind: str
    micros: int
    obligations: int


class PairLine(NamedTuple):
    """The same in minor units that sum to the pair's own rounded total."""

    debtor: str
    creditor: str
    kind: str
    micros: int
    minor_units: int
    obligations: int


def lines_of(one: CurrencyResult, totals: Iterable[KindTotal]) -> list[PairLine]:
    """The lines of every pair of a currency, by pair and then in the order the kinds come in."""
    by_pair: dict[tuple[str, str], list[KindTotal]] = {}
    for total in totals:
        if total.currency == one.currency:
            by_pair.setdefault((total.debtor, total.creditor), []).append(total)
    unit = micros_per_minor(one.currency)
    lines = []
    for pair in one.pairs:
        kinds = by_pair.pop((pair.debtor, pair.creditor), [])
        assert sum(total.micros for total in kinds) == pair.micros, f"{pair} is not the sum of its kinds"
        for total, minor in zip(kinds, shared_out(pair.arisen, [total.micros for total in kinds], unit), strict=True):
            line = PairLine(pair.debtor, pair.creditor, total.kind, total.micros, minor, total.obligations)
            lines.append(line)
    assert not by_pair, f"the run knows nothing of {sorted(by_pair)}"
    return lines


def shared_out(whole: int, parts: Sequence[int], unit: int) -> list[int]:
    """Whole minor units for parts in micro-units: each its floor, the rest to the largest remainders, earlier first."""
    shares = [part // unit for part in parts]
    left = whole - sum(shares)
    assert 0 <= left <= len(parts), f"{whole} is no rounding of {sum(parts)} in units of {unit}"
    order = sorted(range(len(parts)), key=lambda place: (-(parts[place] % unit), place))
    for place in order[:left]:
        shares[place] += 1
    return shares
