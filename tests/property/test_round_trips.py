"""Converting round in a circle: the search finds what trying every circle finds, and what it promises holds of points.

The clerk who tries every circle is a few lines of recursion; the search is what hundreds of currencies need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from hypothesis import assume, example, given
from hypothesis import strategies as st

from exchange.promotions.model import Promotion, PromotionKind
from exchange.rates.cycles import Step, around, best_of, closest_cycle, gaining_cycle, product, step_of
from exchange.rates.model import Rate, convert_at
from tests.unit.rules.rulebook import LONG_AGO

CURRENCIES = range(5)
units = st.integers(1, 9)


def a_rate(source: int, target: int, give: int, get: int, block: int = 1, bonus: tuple[int, int] = (0, 0)) -> Rate:
    """`give` of source for `get` of target."""
    return Rate(None, source, target, give, get, block, 0, 0, *bonus, 0, 0, 0, 0, LONG_AGO, None, LONG_AGO)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """Any rate between two of a handful of currencies."""
    source, target = draw(st.lists(st.sampled_from(CURRENCIES), min_size=2, max_size=2, unique=True))
    bonus = draw(st.one_of(st.just((0, 0)), st.tuples(st.integers(1, 50), units)))
    return a_rate(source, target, draw(units), draw(units), draw(st.integers(1, 12)), bonus)


@st.composite
def fair_tables(draw: st.DrawFn) -> list[Rate]:
    """Tables in which a point of each currency is worth something: no rate gives more worth than it takes.

    Many of their circles return exactly what went in: there the answer hangs on the last digit.
    """
    worth = [draw(st.one_of(units, st.integers(1, 10**18))) for _ in CURRENCIES]
    table = []
    for source, target in draw(st.lists(st.permutations(CURRENCIES).map(lambda p: (p[0], p[1])), max_size=12)):
        loss = draw(st.sampled_from([0, 0, 1, 10**17]))
        table.append(a_rate(source, target, worth[target] + loss, worth[source], draw(st.integers(1, 12))))
    return table


tables = st.one_of(st.lists(rates(), max_size=12), fair_tables())


def circles(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Every circle that passes no currency twice, once from each of its currencies."""

    def onwards(way: list[Step]) -> Iterator[list[Step]]:
        for step in steps:
            if step.source_no != way[-1].target_no:
                continue
            if step.target_no == way[0].source_no:
                yield [*way, step]
            elif step.target_no not in {passed.target_no for passed in way}:
                yield from onwards([*way, step])

    for step in steps:
        yield from onwards([step])


def is_a_circle_of(cycle: Sequence[Step], steps: Sequence[Step]) -> bool:
    """Whether one may go it with these steps."""
    following = [*cycle[1:], cycle[0]]
    joined = all(step.target_no == after.source_no for step, after in zip(cycle, following, strict=True))
    return joined and all(step in steps for step in cycle)


@given(table=tables)
@example(table=[a_rate(0, 1, 1, 1), a_rate(1, 0, 1, 1)])
@example(table=[a_rate(0, 1, 10**18, 10**18 + 1), a_rate(1, 0, 1, 1)])
def test_a_circle_that_gains_is_found_exactly_where_trying_every_one_finds_one(table: list[Rate]) -> None:
    """By one part in 10^18 too; and what is found is a circle that gains."""
    steps = best_of(map(step_of, table))

    found = gaining_cycle(steps)

    assert (found is not None) == any(product(circle) > 1 for circle in circles(steps))
    if found is not None:
        assert is_a_circle_of(found, steps)
        assert product(found) > 1


@given(table=tables)
def test_the_closest_circle_through_a_rate_is_the_best_of_all(table: list[Rate]) -> None:
    """Where none gains; no circle, where no way leads back."""
    steps = best_of(map(step_of, table))
    assume(gaining_cycle(steps) is None)

    for step in steps:
        returns = [product(circle) for circle in circles(steps) if circle[0] == step]
        closest = closest_cycle(step, steps)
        assert (closest is None) == (not returns)
        if closest is not None:
            assert closest[0] == step
            assert is_a_circle_of(closest, steps)
            assert product(closest) == max(returns)


bonuses = st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 40)).filter(any), max_size=3)


@given(rate=rates(), given_beside=bonuses, offered=st.integers(1, 10**6))
def test_no_conversion_gives_more_than_its_step_says_with_promotions(
    rate: Rate, given_beside: list[tuple[int, int]], offered: int
) -> None:
    """Whatever the amount, with all the bonuses of promotions in basis points and in points."""
    promotions = [_promotion(rate, bps, 0 if bps else points) for bps, points in given_beside]
    converted = convert_at(rate, offered)
    assume(converted.received_units)

    step = step_of(rate, promotions)

    received = converted.received_units + sum(one.bonus_on(converted.received_units) for one in promotions)
    assert Fraction(received, converted.used_units) <= Fraction(step.received, step.used)
    assert Fraction(step.received, step.used) >= Fraction(*rate.best_gain)


def _promotion(rate: Rate, bps: int, points: int) -> Promotion:
    kind = PromotionKind.CONVERSION_BONUS
    pair = rate.source_no, rate.target_no
    return Promotion(1, "K", kind, None, *pair, bps, points, 0, 0, LONG_AGO, None, LONG_AGO)


@given(table=tables, data=st.data())
def test_nothing_is_lost_by_looking_only_around_the_chosen_rates(table: list[Rate], data: st.DataObject) -> None:
    """Every circle through a chosen rate is made of what is looked at."""
    steps = best_of(map(step_of, table))
    chosen = data.draw(st.lists(st.sampled_from(steps), max_size=2)) if steps else []

    near = around(chosen, steps)

    for circle in circles(steps):
        if any(step in chosen for step in circle):
            assert set(circle) <= set(near)


@given(table=tables, data=st.data())
def test_where_no_circle_gains_nobody_ever_has_more_than_at_the_beginning(
    table: list[Rate], data: st.DataObject
) -> None:
    """Whatever is converted in whatever order and parts: of the points one began with there are never more."""
    assume(table)
    assume(gaining_cycle(best_of(map(step_of, table))) is None)
    began = data.draw(st.integers(1, 10**6))
    points = dict.fromkeys(CURRENCIES, 0) | {table[0].source_no: began}

    for _ in range(12):
        rate = data.draw(st.sampled_from(table))
        offered = data.draw(st.integers(0, points[rate.source_no]))
        converted = convert_at(rate, offered)
        points[rate.source_no] -= converted.used_units
        points[rate.target_no] += converted.received_units
        assert points[table[0].source_no] <= began


@given(table=st.lists(rates(), max_size=12))
def test_where_a_circle_gains_somebody_could_have_more_than_at_the_beginning(table: list[Rate]) -> None:
    """The refusal is no suspicion: enough points, converted round once, come back as more, by just the product."""
    found = gaining_cycle(best_of(map(step_of, table)))
    assume(found is not None)
    assert found is not None
    began = 1
    for step in found:
        began *= step.rate.source_units * step.rate.block_units * (step.rate.bonus_every_units or 1)

    points = began
    for step in found:
        used, points, _ = convert_at(step.rate, offered := points)
        assert used == offered

    assert Fraction(points, began) == product(found) > 1
