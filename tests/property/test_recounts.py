"""Laws of recounting: whatever order the rows come in, and whatever a run says of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from settlement.recount.rules import Counter, Row, mismatches, written
from settlement.run.model import Configuration, CurrencyResult
from settlement.run.rules import Inputs, calculate
from tests.unit.settlement.windows import Total

NAMES = ("GRO", "TEL", "AIR")
pairs = st.permutations(NAMES).map(lambda names: (names[0], names[1]))
rows = st.lists(
    st.builds(
        lambda currency, pair, micros, position: (currency, *pair, micros, position),
        st.sampled_from(["CNY", "JPY"]),
        pairs,
        st.integers(1, 2**63 - 1),
        st.integers(1, 3),
    ),
    max_size=20,
)


def result_of(counted_rows: Sequence[Row]) -> list[CurrencyResult]:
    """What a run makes of totals kept of these rows."""
    totals = [Total(currency, debtor, creditor, micros) for currency, debtor, creditor, micros, _ in counted_rows]
    return calculate(Inputs(1, date(2026, 3, 1), totals, (), Configuration(), "OPR"))


def counter_of(counted_rows: Sequence[Row]) -> Counter:
    """These rows, counted."""
    counter = Counter()
    counter.add(counted_rows)
    return counter


@given(kept=rows, order=st.randoms(use_true_random=False))
def test_a_run_of_the_same_rows_passes_in_any_order(kept: list[Row], order: random.Random) -> None:
    """To the micro-unit, beyond 64 bits too; and what is written is the same bytes."""
    shuffled = list(kept)
    order.shuffle(shuffled)

    counted = counter_of(shuffled).counted()

    assert mismatches(result_of(kept), counted) == []
    assert written(1, counted) == written(1, counter_of(kept).counted())
    assert (counted.obligations, counted.transfers) == (len(kept), sum(row[4] == 1 for row in kept))


@given(kept=rows, extra=rows.filter(bool))
def test_a_row_more_or_less_is_named_with_its_pair(kept: list[Row], extra: list[Row]) -> None:
    """Whichever side has it: exactly the pairs that differ are told, with both figures."""
    more, less = counter_of([*kept, *extra]).counted(), counter_of(kept).counted()

    missing = mismatches(result_of([*kept, *extra]), less)
    added = mismatches(result_of(kept), more)

    differing = sorted({row[:3] for row in extra})
    assert [tuple(one.pair) for one in missing] == [tuple(one.pair) for one in added] == differing
    assert [(one.run, one.transfers) for one in missing] == [(one.transfers, one.run) for one in added]
