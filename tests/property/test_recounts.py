"""Laws of recounting: whatever order the rows come in, and whatever a run says of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from settlement.recount.model import Counted
from settlement.recount.rules import Counter, Row, mismatches, written
from settlement.run.model import Configuration, CurrencyResult
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.windows import Total

NAMES = ("GRO", "TEL", "AIR")
pairs = st.permutations(NAMES).map(lambda names: (names[0], names[1]))
rows = st.lists(
    st.builds(
        lambda currency, pair, micros: (currency, *pair, micros, 1),
        st.sampled_from(["CNY", "JPY"]),
        pairs,
        st.integers(1, 2**63 - 1),
    ),
    max_size=20,
)


def result_of(counted_rows: Sequence[Row]) -> list[CurrencyResult]:
    """What a run makes of totals kept of these rows."""
    totals = [Total(currency, debtor, creditor, micros) for currency, debtor, creditor, micros, _ in counted_rows]
    return calculate(Inputs(1, date(2026, 3, 1), totals, (), Configuration(), "OPR"))


def counted_of(*parts: Sequence[Row]) -> Counted:
    """The rows of these parts, counted part by part; each left by a transfer of its own."""
    counter = Counter()
    for part in parts:
        counter.add(part)
    return counter.counted(sum(map(len, parts)))


def summed(part: Sequence[Row]) -> list[Row]:
    """What a part comes to: one row for each pair."""
    return [(*pair, *figures) for pair, figures in counted_of(part).pairs.items()]


@given(kept=rows, order=st.randoms(use_true_random=False), cut=st.integers(0, 20))
def test_a_run_of_the_same_rows_passes_however_they_are_cut(kept: list[Row], order: random.Random, cut: int) -> None:
    """In any order, in parts that were summed before; to the micro-unit, beyond 64 bits; written as the same bytes."""
    shuffled = list(kept)
    order.shuffle(shuffled)

    counter = Counter()
    for part in (shuffled[:cut], shuffled[cut:]):
        counter.add(summed(part))
    counted = counter.counted(len(kept))

    assert mismatches(result_of(kept), counted) == []
    assert written(1, counted) == written(1, counted_of(kept))
    assert counter.seen == counted.obligations == len(kept)


@given(kept=rows, extra=rows.filter(bool))
def test_a_row_more_or_less_is_named_with_its_pair(kept: list[Row], extra: list[Row]) -> None:
    """Whichever side has it: exactly the pairs that differ are told, with both figures."""
    more, less = counted_of(kept, extra), counted_of(kept)

    missing = mismatches(result_of([*kept, *extra]), less)
    added = mismatches(result_of(kept), more)

    differing = sorted({row[:3] for row in extra})
    assert [tuple(one.pair) for one in missing] == [tuple(one.pair) for one in added] == differing
    assert [(one.run, one.transfers) for one in missing] == [(one.transfers, one.run) for one in added]
