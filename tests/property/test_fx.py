"""Laws of converting: nothing is made or lost, order does not matter, and rounding stays within half a unit an item."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.fx.into_one import Item, into_one, summed
from settlement.fx.model import Basis, FxRate, FxSet
from settlement.netting.model import Terms
from settlement.netting.registry import MODES

NAMES = ["A", "B", "C", "OPR"]
CURRENCIES = ["CNY", "JPY", "KWD", "USD"]
pairs = st.permutations(NAMES).map(lambda names: (names[0], names[1]))
items = st.builds(
    lambda pair, currency, amount, held: Item(pair[0], pair[1], currency, amount, held),
    pair=pairs,
    currency=st.sampled_from(CURRENCIES),
    amount=st.one_of(st.integers(1, 30), st.integers(1, 10**12)),
    held=st.sampled_from([False, False, False, True]),
)
windows = st.lists(items, max_size=16)
figures = st.integers(1, 10_000)


@st.composite
def rates(draw: st.DrawFn) -> FxSet:
    """Rates of every currency into yuan, the dinar's through dollars."""
    ways = [("USD", "CNY"), ("JPY", "CNY"), ("KWD", "USD")]
    quoted = [FxRate(*way, draw(figures), draw(figures), "desk", "2026-03-31") for way in ways]
    return FxSet("drawn", 1, "USD", tuple(quoted))


@pytest.mark.parametrize("basis", Basis)
@given(window=windows, fx=rates(), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(basis: Basis, window: list[Item], fx: FxSet, order: Random) -> None:
    """Nor does the order of the rates."""
    shuffled, turned = list(window), FxSet(fx.name, fx.version, fx.base, fx.rates[::-1])
    order.shuffle(shuffled)

    one = into_one(summed(window, fx, "CNY"), fx, "CNY", basis, "OPR")
    other = into_one(summed(shuffled, turned, "CNY"), turned, "CNY", basis, "OPR")

    assert one == other
    assert list(one.gross.pairs) == list(other.gross.pairs)


@given(window=windows, fx=rates())
def test_every_column_of_positions_sums_to_zero(window: list[Item], fx: FxSet) -> None:
    """In the currency itself, item by item and by position, and so do the differences."""
    positions = into_one(summed(window, fx, "CNY"), fx, "CNY", Basis.PER_ITEM, "OPR").positions

    sums: Counter[tuple[str, str]] = Counter()
    for one in positions:
        for column in ("net", "per_item", "per_position", "difference"):
            sums[one.from_currency, column] += getattr(one, column)
    assert set(sums.values()) <= {0}


@given(window=windows, fx=rates())
def test_the_two_ways_differ_by_half_a_unit_an_item_at_most(window: list[Item], fx: FxSet) -> None:
    """And half a one for the position; of the operator, for everybody's."""
    positions = into_one(summed(window, fx, "CNY"), fx, "CNY", Basis.PER_ITEM, "OPR").positions

    for one in positions:
        of_it = [item for item in window if item.currency == one.from_currency and not item.held]
        own = sum(one.participant in (item.debtor, item.creditor) for item in of_it)
        roundings = own + 1 if one.participant != "OPR" else own + len(NAMES)
        assert 2 * abs(one.difference) <= roundings


@pytest.mark.parametrize("basis", Basis)
@given(window=windows, fx=rates())
def test_a_converted_window_nets_to_what_is_shown(basis: Basis, window: list[Item], fx: FxSet) -> None:
    """Yuan owed anyhow, and of each other currency the position on the chosen basis."""
    found = into_one(summed(window, fx, "CNY"), fx, "CNY", basis, "OPR")

    result = MODES["multilateral"](found.gross, Terms())
    expected: Counter[str] = Counter()
    for item in window:
        if item.currency == "CNY" and not item.held:
            expected[item.debtor] -= item.amount
            expected[item.creditor] += item.amount
    for one in found.positions:
        expected[one.participant] += one.by(basis)
    assert dict(result.nets) == {name: net for name, net in expected.items() if net}


@given(window=windows)
def test_rates_of_one_to_one_change_nothing(window: list[Item]) -> None:
    """Between currencies of the same minor unit there is then nothing to round."""
    dollars = [item._replace(currency="USD") for item in window]
    fx = FxSet("even", 1, "", (FxRate("USD", "CNY", 1, 1, "desk", "2026-03-31"),))

    found = into_one(summed(dollars, fx, "CNY"), fx, "CNY", Basis.PER_ITEM, "OPR")

    assert all(one.difference == 0 for one in found.positions)
    assert sum(found.gross.pairs.values()) == sum(item.amount for item in dollars if not item.held)
