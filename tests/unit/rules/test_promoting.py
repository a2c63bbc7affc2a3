"""Bonus points beside awards and conversions: how many, who pays for them, and when a promotion has nothing to give."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchange.ledger.bonuses import Budgets
from exchange.money.limits import INT64_MAX
from exchange.money.rounding import apportioned
from exchange.refusals import AmountOverflow
from tests.unit.rules.days import HOUR, earn_rule, expire, legs, owed, owing, spend, terms, with_earn_rules
from tests.unit.rules.promotions import BANK_TO_TELCO, K1, PromotedDay, lots_made, promoting, promotion, replaced
from tests.unit.rules.rulebook import (
    MERCHANT_NO,
    NOON,
    SECOND,
    coalition,
    convert,
    currency,
    earn,
    member,
    rate,
    redeem,
)


def test_sponsors_share_a_bonus_at_the_issue_price() -> None:
    """Scenario K1: 8 350 AIR at CAF make 2 000 more, the cap; BNK owes 70 % of 2 000 x 60 000, CAF 30 %."""
    day = PromotedDay(promoting(K1))

    award = day.do(earn("8 350 AIR", "CAF"))

    assert owed(award) == [
        ("CAF", "AIR", "EARN", 501_000_000),
        ("BNK", "AIR", "PROMOTION", 84_000_000),
        ("CAF", "AIR", "PROMOTION", 36_000_000),
    ]
    assert (lots_made(award), day.balance("AIR")) == ([8_350, 2_000], (10_350, 0, 0))


def test_the_lot_of_a_bonus_is_spent_after_the_one_beside_it() -> None:
    """Same price, same expiry, made at once; the base is there first."""
    world = promoting(K1, world=coalition(currencies=[currency("AIR", days=30)]))
    day = PromotedDay(world)

    day.do(earn("1 000 AIR", "CAF"))
    day.do(redeem("900 AIR", "CAF"))

    assert day.lots("AIR") == [(100, 0), (1_000, 0)]
    expiries = {one.expires_at for one in day.facts.accounts[11].known.values()}
    assert expiries == {NOON + timedelta(days=30)}
    assert {one.price_micros for one in day.facts.accounts[11].known.values()} == {60_000}


@pytest.mark.parametrize(
    ("terms", "made", "bonus"),
    [
        ({"bps": 10_000}, "7 AIR", 7),
        ({"bps": 1}, "9 999 AIR", 0),
        ({"bps": 1}, "10 000 AIR", 1),
        ({"bps": 1_500}, "99 AIR", 14),
        ({"bps": 1_000_000}, "3 AIR", 300),
        ({"units": 50}, "1 AIR", 50),
    ],
)
def test_a_bonus_is_basis_points_rounded_down_or_so_many_points(terms: dict[str, int], made: str, bonus: int) -> None:
    """Of what the movement itself made."""
    day = PromotedDay(promoting(promotion("AIR", at="CAF", **terms)))  # type: ignore[arg-type]

    day.do(earn(made, "CAF"))

    assert day.gave() == ([(1, bonus)] if bonus else [])


def test_the_last_award_of_a_budget_is_partial_and_then_it_stops_quietly() -> None:
    """4 900 of 5 000 are used: 100 are left whatever the award, then none."""
    day = PromotedDay(promoting(K1), used={1: 4_900})

    awards = [day.do(earn("300 AIR", "CAF")) for _ in range(2)]

    assert [lots_made(award) for award in awards] == [[300, 100], [300]]
    assert day.bonuses.budgets.changed() == [(1, 5_000)]


def test_the_award_that_reaches_the_members_cap_is_partial() -> None:
    """1 500 and 500 are 2 000; the third one gets none."""
    day = PromotedDay(promoting(K1))

    awards = [day.do(earn("1 500 AIR", "CAF")) for _ in range(3)]

    assert [lots_made(award)[1:] for award in awards] == [[1_500], [500], []]
    assert day.bonuses.used == {1: 2_000}


def test_a_budget_that_nobody_locked_has_nothing_left() -> None:
    """The reader leaves out what was used up when it looked."""
    day = PromotedDay(promoting(K1))
    day.bonuses.budgets = Budgets({})

    assert lots_made(day.do(earn("300 AIR", "CAF"))) == [300]


def test_several_promotions_count_each_by_the_award_itself() -> None:
    """10 % and 50 points on 1 000: 100 and 50, not 10 % of the 50 too; oldest first."""
    world = promoting(
        promotion("AIR", bps=1_000, number=2, sponsors={"AIR": 10_000}),
        promotion("AIR", at="CAF", units=50, number=1, sponsors={"GRO": 5_000}),
    )
    day = PromotedDay(world)

    award = day.do(earn("1 000 AIR", "CAF"))

    assert day.gave() == [(1, 50), (2, 100)]
    assert owed(award)[1:] == [("GRO", "AIR", "PROMOTION", 1_500_000)]


def test_what_no_sponsor_pays_and_the_issuers_own_share_are_nobodys_debt() -> None:
    """Half is AIR's, a quarter nobody's."""
    world = promoting(promotion("AIR", at="CAF", units=100, sponsors={"AIR": 5_000, "GRO": 2_500}))

    award = PromotedDay(world).do(earn("1 AIR", "CAF"))

    assert owed(award)[1:] == [("GRO", "AIR", "PROMOTION", 1_500_000)]


@pytest.mark.parametrize(
    ("merchant", "points", "when"),
    [("GRO", "5 AIR", timedelta()), ("CAF", "5 TEL", timedelta()), ("CAF", "5 AIR", HOUR), ("CAF", "5 AIR", -SECOND)],
    ids=["another merchant", "another currency", "at its very end", "before it begins"],
)
def test_a_promotion_adds_to_what_it_names_while_it_is_on(merchant: str, points: str, when: timedelta) -> None:
    """Half-open: at its end it is over."""
    world = promoting(replaced(K1, begins=NOON, ends=NOON + HOUR))
    day = PromotedDay(world, member(now=NOON + when))

    assert len(lots_made(day.do(earn(points, merchant)))) == 1


def test_without_a_merchant_it_adds_to_everybodys_awards() -> None:
    """At its very beginning too."""
    world = promoting(promotion("AIR", units=3, begins=NOON))

    assert [lots_made(PromotedDay(world).do(earn("5 AIR", at)))[1:] for at in ("GRO", "CAF")] == [[3], [3]]


def test_while_a_sponsor_is_suspended_nothing_is_given() -> None:
    """Nobody runs up debts who may not act; the award itself goes on."""
    world = promoting(K1, world=coalition(suspended=["BNK"]))

    assert lots_made(PromotedDay(world).do(earn("5 AIR", "CAF"))) == [5]


def test_an_award_by_spend_gets_its_bonus_and_one_of_nothing_gets_none() -> None:
    """Even where the bonus is so many points on each."""
    world = with_earn_rules(promoting(promotion("TEL", at="CAF", units=5)), earn_rule("coffee", 1_000))
    day = PromotedDay(world)

    made, nothing = day.do(spend(1_500, "coffee")), day.do(spend(100, "coffee"))

    assert (lots_made(made), lots_made(nothing)) == ([1, 5], [])


def test_a_conversion_bonus_is_owed_at_the_conversion_in_price() -> None:
    """1 000 BNK make 100 TEL and 10 % more: the sponsor owes 10 x 10 500, and the bank nothing beside its own."""
    world = promoting(promotion("BNK>TEL", bps=1_000, sponsors={"GRO": 10_000}), world=coalition(BANK_TO_TELCO))
    day = PromotedDay(world, member(BNK=1_000))

    turned = day.do(convert("1 000 BNK", "TEL", by="BNK"))

    assert owed(turned) == [
        ("BNK", "TEL", "CONVERSION", 1_050_000),
        ("BNK", "OPR", "SPREAD", 950_000),
        ("GRO", "TEL", "PROMOTION", 105_000),
    ]
    assert (lots_made(turned), day.balance("TEL")) == ([100, 10], (110, 0, 0))


def test_a_conversion_bonus_is_for_its_own_direction() -> None:
    """BNK into TEL and not into AIR."""
    world = promoting(promotion("BNK>TEL", units=5), world=coalition(rate("30 BNK", "1 AIR")))

    assert lots_made(PromotedDay(world, member(BNK=30)).do(convert("30 BNK", "AIR", by="BNK"))) == [1]


def test_a_bonus_pays_what_the_member_owes_after_the_award_has() -> None:
    """Owing 7: the award of 5 pays 5, the bonus of 5 the other 2."""
    world = promoting(promotion("TEL", at="GRO", bps=10_000), world=owing())
    day = PromotedDay(world, member(TEL=[]))
    day.facts.accounts[13].overdrawn = 7
    day.facts.accounts[13].available = -7

    award = day.do(earn("5 TEL", "GRO"))

    assert [leg for leg in legs(award) if leg[0] == "OVERDRAFT"] == [
        ("OVERDRAFT", "CREDIT", 5),
        ("OVERDRAFT", "CREDIT", 2),
    ]
    assert (day.balance(), day.lots()) == ((3, 0, 0), [(0, 0), (3, 0)])


def test_a_bonus_that_64_bits_do_not_hold_is_refused_with_the_award() -> None:
    """As a balance."""
    day = PromotedDay(promoting(promotion("AIR", at="BNK", bps=10_000, sponsors={})), member(AIR=INT64_MAX - 5))

    with pytest.raises(AmountOverflow):
        day.do(earn("4 AIR", "BNK"))


# ------------------------------------------------------------------------------------------------ shares
@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (100, [3_333, 3_333, 3_334], [33, 33, 34]),
        (1, [5_000, 5_000], [1, 0]),
        (7, [0, 1], [0, 7]),
        (0, [1, 2], [0, 0]),
    ],
)
def test_shares_are_together_exactly_the_whole(amount: int, weights: list[int], parts: list[int]) -> None:
    """What is left after rounding down goes to the largest remainders, the first of equal ones."""
    assert apportioned(amount, weights) == parts


def test_what_is_left_of_a_bonus_at_its_end_is_shared_by_its_sponsors() -> None:
    """40 % of 500 x 12 000, of which GRO paid 70 % and TEL itself 30 %."""
    told = terms(currency("TEL", days=1), breakage=4_000)
    world = promoting(
        promotion("TEL", at="CAF", units=500, sponsors={"GRO": 7_000, "TEL": 3_000}),
        world=coalition(currencies=[told]),
    )
    day = PromotedDay(world)
    day.do(earn("1 TEL", "CAF"))
    day.pass_time(timedelta(days=1))

    ended = day.do(expire())

    assert owed(ended) == [("TEL", "GRO", "BREAKAGE", 1_680_000), ("TEL", "CAF", "BREAKAGE", 4_800)]


def test_who_stands_for_all_sponsors_is_the_one_with_the_greatest_share() -> None:
    """The first of equal ones; the issuer where there is none."""
    funders = [
        promotion("AIR", units=1, sponsors=sponsors).funder_no(MERCHANT_NO["AIR"])
        for sponsors in ({"BNK": 7_000, "CAF": 3_000}, {"GRO": 5_000, "CAF": 5_000}, {})
    ]

    assert funders == [MERCHANT_NO["BNK"], MERCHANT_NO["CAF"], MERCHANT_NO["AIR"]]
