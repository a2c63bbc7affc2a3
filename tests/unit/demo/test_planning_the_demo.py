"""The demo's plan and prices: repeatable, coherent, and counted without asking the server."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from exchange.demo.cast import DISCOUNT, EARNING, EXCHANGE, GENERAL, REDEMPTION, SUSPENDED_AT_MIDNIGHT
from exchange.demo.model import DONE, MIDNIGHT_ROUND, REPLAYED, Plan, Planned, World
from exchange.demo.prices import coherent_prices
from exchange.demo.published import PUBLISHED_RATES, BadRates, PublishedRate, read_published
from exchange.demo.workload import make_plan, make_world
from exchange.rates.cycles import best_of, closest_cycle, gaining_cycle, step_of
from exchange.rates.model import Rate
from tests.unit.rules.rulebook import LONG_AGO


@pytest.fixture(scope="module")
def world() -> World:
    """The coalition of the table in examples/."""
    return make_world()


@pytest.fixture(scope="module")
def plan(world: World) -> Plan:
    """A small day."""
    return make_plan(world, members=600, movements=6_000, seed=7)


def all_of(plan: Plan) -> list[Planned]:
    """Every movement in the order of rounds."""
    return [planned for of_round in plan.rounds for planned in of_round]


def test_the_same_seed_plans_the_same_day(world: World, plan: Plan) -> None:
    """Down to the last movement; another seed plans another day."""
    assert all_of(make_plan(world, members=600, movements=6_000, seed=7)) == all_of(plan)
    assert all_of(make_plan(world, members=600, movements=6_000, seed=8)) != all_of(plan)


@pytest.mark.parametrize(("members", "movements"), [(1, 1), (3, 2), (7, 1_000), (50, 499)])
def test_a_plan_has_exactly_the_movements_asked_for(world: World, members: int, movements: int) -> None:
    """However they divide among the members."""
    assert make_plan(world, members=members, movements=movements, seed=1).movements == movements


def test_the_coalition_has_thirty_merchants_of_all_roles(world: World) -> None:
    """One of them may only take part, without moving points."""
    roles = [participant.roles for participant in world.participants.values()]

    assert len(roles) == 30
    assert frozenset().union(*roles) == {EARNING, REDEMPTION, DISCOUNT, EXCHANGE, GENERAL}
    assert frozenset({GENERAL}) in roles


def test_a_day_has_every_kind_of_movement_and_of_good_reason_to_refuse(plan: Plan) -> None:
    """Most are granted; each reason the demo is to show comes up."""
    kinds = Counter(planned.op for planned in all_of(plan))
    answers = Counter(planned.expected for planned in all_of(plan))

    assert set(kinds) == {"earn", "redeem", "discount", "convert"}
    assert set(answers) == {
        *(DONE, REPLAYED, "ROLE_MISSING", "INSUFFICIENT_POINTS", "BELOW_MINIMUM", "MERCHANT_SUSPENDED"),
        *("REQUEST_ID_REUSED", "NO_RATE", "NOT_THE_ISSUER"),
    }
    assert answers[DONE] > 0.9 * plan.movements


def test_nobody_is_planned_to_spend_what_they_do_not_have(plan: Plan) -> None:
    """Counted again, from the plan's movements alone, in their order."""
    held: Counter[tuple[int, str]] = Counter()
    for planned in all_of(plan):
        if planned.expected != DONE:
            continue
        if planned.op == "earn":
            held[planned.member, planned.currency] += planned.units
        else:
            assert held[planned.member, planned.currency] >= planned.units
            held[planned.member, planned.currency] -= planned.used or planned.units
            held[planned.member, planned.target] += planned.received
    assert held.total() > 0


def test_within_a_round_a_member_is_at_one_merchant(plan: Plan) -> None:
    """So merchants may send their files at the same time without crossing each other."""
    for of_round in plan.rounds:
        places = {(planned.member, planned.merchant) for planned in of_round}
        assert len(places) == len({member for member, _ in places})


def test_a_suspended_merchant_moves_nothing_after_midnight(plan: Plan) -> None:
    """Only repeats of what it was granted before get their first answer again."""
    after = [p for of_round in plan.rounds[MIDNIGHT_ROUND:] for p in of_round if p.merchant == SUSPENDED_AT_MIDNIGHT]

    assert after
    assert {planned.expected for planned in after} <= {"MERCHANT_SUSPENDED", REPLAYED, "REQUEST_ID_REUSED"}


def test_no_published_rate_loses_the_operator_money() -> None:
    """Whatever is converted, out-price x used covers in-price x received, where the bonus weighs most too."""
    rates = read_published(PUBLISHED_RATES)
    prices = coherent_prices(rates)

    for rate in rates:
        for units in (rate.block * 7, max(rate.minimum, rate.block), rate.bonus_every or rate.block * 1_000):
            used, received = rate.converted(units * 30)
            out, into = prices[rate.source.code].conversion_out, prices[rate.target.code].conversion_in
            assert out * used >= into * received, rate


def test_the_announced_cut_divides_the_day() -> None:
    """Membership Rewards turn 1:1 into Asia Miles to the end of February and 1000:800 from March on."""
    versions = [rate for rate in read_published(PUBLISHED_RATES) if rate.target.code == "ASIAMILES"]

    def terms_on(day: date) -> list[tuple[int, int]]:
        return [(rate.source_units, rate.target_units) for rate in versions if rate.holds_on(day)]

    assert terms_on(date(2026, 2, 28)) == [(1, 1)]
    assert terms_on(date(2026, 3, 1)) == [(1_000, 800)]


def test_a_conversion_uses_whole_blocks_and_no_more_than_it_needs() -> None:
    """60 000 Bonvoy at 3:1 give 20 000 miles and the 5 000 bonus; 61 are left with the member."""
    rate = next(r for r in read_published(PUBLISHED_RATES) if r.target.code == "ALASKA")

    assert rate.converted(60_001) == (60_000, 25_000)
    assert rate.converted(2) == (0, 0)


def test_prices_cannot_follow_from_rates_that_turn_in_a_circle() -> None:
    """No programme would come first."""
    first = read_published(PUBLISHED_RATES)[0]
    back = PublishedRate(
        **{field: getattr(first, field) for field in PublishedRate.__slots__}
        | {"source": first.target, "target": first.source}
    )

    with pytest.raises(ValueError, match="circle through MR, AEROPLAN"):
        coherent_prices([first, back])


def test_a_table_that_does_not_read_is_refused_by_line(tmp_path: Path) -> None:
    """A broken table would make another coalition than the one people know."""
    lines = PUBLISHED_RATES.read_text().splitlines()
    file = tmp_path / "rates.csv"
    file.write_text("\n".join([*lines[:3], lines[3].replace("2025-01-01", "soon")]))

    with pytest.raises(BadRates, match="line 4"):
        read_published(file)


def test_the_published_table_lets_nobody_gain_by_converting_round() -> None:
    """What the server asks of every publication; in fact no way in the table leads back to where it begins."""
    table = read_published(PUBLISHED_RATES)
    codes = sorted({code for rate in table for code in (rate.source.code, rate.target.code)})
    steps = best_of(
        step_of(
            Rate(
                None,
                codes.index(rate.source.code),
                codes.index(rate.target.code),
                rate.source_units,
                rate.target_units,
                rate.block,
                rate.minimum,
                0,
                rate.bonus_every,
                rate.bonus_points,
                *(0, 0, 0, 0),
                LONG_AGO,
                None,
                LONG_AGO,
            )
        )
        for rate in table
    )

    assert len(steps) == len({(rate.source, rate.target) for rate in table})
    assert gaining_cycle(steps) is None
    assert all(closest_cycle(step, steps) is None for step in steps)
