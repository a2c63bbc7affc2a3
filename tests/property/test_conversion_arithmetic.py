"""Laws of conversion: exact, never in anybody's favour beyond the ratio, and never at the operator's cost."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from exchange.rates.model import Converted, Rate, convert_at
from exchange.rates.rules import require_spread
from exchange.refusals import NegativeSpread
from tests.unit.rules.rulebook import coalition, currency, price, rate

figures = st.one_of(st.integers(1, 40), st.integers(1, 10**7))
amounts = st.one_of(st.integers(1, 500), st.integers(1, 10**12))
blocks = st.one_of(st.just(1), st.integers(1, 60))
NO_BONUS = (0, 0)


@st.composite
def plain_rates(draw: st.DrawFn) -> Rate:
    """A ratio and a block, nothing else."""
    return rate(f"{draw(figures)} BNK", f"{draw(figures)} AIR", block=draw(blocks))


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """A rate with bonus and fees, or without."""
    bonus = draw(st.one_of(st.just(NO_BONUS), st.tuples(figures, st.integers(1, 50))))
    return rate(
        f"{draw(figures)} BNK",
        f"{draw(figures)} AIR",
        block=draw(blocks),
        bonus=bonus,
        fee=draw(st.integers(0, 100)),
        fee_per_point=draw(st.integers(0, 100)),
        fee_cap=draw(st.one_of(st.just(0), st.integers(1, 1_000))),
    )


def ratio_of(agreed: Rate) -> Fraction:
    """Target points for one source point, exactly."""
    return Fraction(agreed.target_units, agreed.source_units)


@given(agreed=plain_rates(), units=amounts)
def test_the_member_gets_all_the_ratio_gives_and_nothing_beyond(agreed: Rate, units: int) -> None:
    """One point more would need more than the whole blocks of what was offered."""
    whole_blocks = units // agreed.block_units * agreed.block_units

    received = convert_at(agreed, units).received_units

    assert received <= whole_blocks * ratio_of(agreed) < received + 1


@given(agreed=plain_rates(), units=amounts)
def test_what_is_used_is_the_least_that_gives_as_much(agreed: Rate, units: int) -> None:
    """One point less would not have been enough; what is left over stays with the member."""
    used, received, _ = convert_at(agreed, units)

    assert used * ratio_of(agreed) >= received
    assert used == 0 or (used - 1) * ratio_of(agreed) < received
    assert 0 <= used <= units


@given(agreed=plain_rates(), units=amounts)
def test_what_stays_behind_would_not_have_bought_another_point(agreed: Rate, units: int) -> None:
    """Less than a block and one point's worth remain: nothing is withheld."""
    used = convert_at(agreed, units).used_units

    assert units - used < agreed.block_units + 1 / ratio_of(agreed)


@given(agreed=rates(), units=st.lists(amounts, min_size=2, max_size=5))
def test_more_never_gives_less(agreed: Rate, units: list[int]) -> None:
    """Used, received and fee grow with the amount or stand still."""
    results = [convert_at(agreed, offered) for offered in sorted(units)]

    for less, more in pairwise(results):
        assert less.used_units <= more.used_units
        assert less.received_units <= more.received_units
        assert less.fee_micros <= more.fee_micros


@given(agreed=plain_rates(), first=amounts, second=amounts)
def test_splitting_a_conversion_gains_nothing(agreed: Rate, first: int, second: int) -> None:
    """Two parts give at most what the whole gives."""
    whole = convert_at(agreed, first + second)

    parts = [convert_at(agreed, units) for units in (first, second)]

    assert sum(part.received_units for part in parts) <= whole.received_units


@given(agreed=plain_rates(), units=amounts)
def test_what_stays_is_less_than_a_block_and_one_target_points_worth(agreed: Rate, units: int) -> None:
    """Nothing that the rate could have used is left unused.

    Where a block is no multiple of the ratio, the two remainders together may make another block.
    """
    used = convert_at(agreed, units).used_units
    below_a_block = units % agreed.block_units

    assert units - used - below_a_block >= 0
    assert (units - used - below_a_block) * agreed.target_units < agreed.source_units


@given(agreed=rates(), units=amounts)
def test_a_bonus_is_a_fixed_gift_for_each_full_measure_used(agreed: Rate, units: int) -> None:
    """It changes nothing else."""
    plain = convert_at(agreed._replace(bonus_every_units=0, bonus_units=0), units)

    given_more = convert_at(agreed, units)

    measures = plain.used_units // agreed.bonus_every_units if agreed.bonus_every_units else 0
    assert given_more == plain._replace(received_units=plain.received_units + measures * agreed.bonus_units)


@given(agreed=rates(), units=amounts)
def test_a_fee_is_a_fixed_part_and_a_capped_one(agreed: Rate, units: int) -> None:
    """By what was used, not by what was offered."""
    used, _, fee = convert_at(agreed, units)

    by_points = fee - agreed.fee_micros
    assert by_points in {used * agreed.fee_per_point_micros, agreed.fee_cap_micros}
    assert 0 <= by_points <= used * agreed.fee_per_point_micros
    assert not agreed.fee_cap_micros or by_points <= agreed.fee_cap_micros


@given(units=amounts)
def test_one_to_one_gives_one_for_one(units: int) -> None:
    """The simplest rate loses nothing to rounding."""
    assert convert_at(rate("7 BNK", "7 AIR"), units) == Converted(units, units, 0)


@given(agreed=rates(), units=amounts, out=st.integers(0, 10**5), into=st.integers(0, 10**5))
def test_a_rate_that_may_be_published_never_costs_the_operator_anything(
    agreed: Rate, units: int, out: int, into: int
) -> None:
    """Publication is checked once, conversions of every amount keep what it found."""
    priced = coalition(currencies=[currency("BNK", price(out=out)), currency("AIR", price(into=into))])
    try:
        require_spread(agreed, priced.directory)
    except NegativeSpread:
        assume(False)

    used, received, _ = convert_at(agreed, units)

    assert used * out >= received * into


@given(agreed=rates(), into=st.integers(1, 10**4), short=st.integers(1, 10**3))
def test_a_rate_that_may_not_be_published_would_have_cost_the_operator(agreed: Rate, into: int, short: int) -> None:
    """The check is no stricter than it must be: some amount exists at which the operator would have paid."""
    worst = agreed.source_units * agreed.block_units * (agreed.bonus_every_units or 1)
    used, received, _ = convert_at(agreed, worst)
    out = (received * into - short) // used
    assume(out >= 0)
    priced = coalition(currencies=[currency("BNK", price(out=out)), currency("AIR", price(into=into))])

    try:
        require_spread(agreed, priced.directory)
    except NegativeSpread:
        return

    raise AssertionError(f"{used} at {out} are worth less than {received} at {into}")
