"""Bonus points beside awards and conversions: how many, who pays for them, and when a promotion has nothing to give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exchange.ledger.bonuses import Budgets
from exchange.ledger.model import ObligationKind, Transfer
from exchange.money.limits import INT64_MAX
from exchange.money.rounding import apportioned
from exchange.promotions.model import Promotion, Promotions
from exchange.refusals import AmountOverflow
from tests.unit.rules.days import HOUR, earn_rule, expire, legs, owed, owing, reverse, spend, terms, with_earn_rules
from tests.unit.rules.promotions import PromotedDay, lots_made, promoting, promotion
from tests.unit.rules.rulebook import (
    MERCHANT_NO,
    NOON,
    SECOND,
    coalition,
    convert,
    currency,
    earn,
    lot,
    member,
    rate,
    redeem,
)

BANK_TO_TELCO = rate("10 BNK", "1 TEL")
K1 = promotion("AIR", at="CAF", bps=10_000, cap=2_000, budget=5_000)


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


def replaced(one: Promotion, *, begins: datetime, ends: datetime) -> Promotion:
    """The promotion at other times."""
    return one._replace(effective_at=begins, ends_at=ends)


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


# ------------------------------------------------------------------------------------------------ reversals
def test_a_reversed_award_takes_its_bonus_back_and_cap_and_budget_have_it_again() -> None:
    """The mirror of everything, at the original price."""
    day = PromotedDay(promoting(K1))
    award = day.do(earn("1 000 AIR", "CAF"))

    back = day.do(reverse(award))

    assert owed(back) == [
        ("AIR", "CAF", "REVERSAL", 60_000_000),
        ("AIR", "BNK", "REVERSAL", 42_000_000),
        ("AIR", "CAF", "REVERSAL", 18_000_000),
    ]
    assert (day.gave(), day.balance("AIR")) == ([(1, 1_000), (1, -1_000)], (0, 0, 0))
    assert (day.bonuses.used, day.bonuses.budgets.changed()) == ({1: 0}, [])


def test_of_part_of_an_award_the_bonus_goes_back_in_proportion() -> None:
    """Points are those awarded; of 1 000 with 100 more, 333 take 34 along: two thirds of the bonus are 66, not 67."""
    day = PromotedDay(promoting(promotion("AIR", at="CAF", bps=1_000, cap=500)))
    award = day.do(earn("1 000 AIR", "CAF"))

    day.do(reverse(award, 333))

    assert day.gave() == [(1, 100), (1, -34)]
    assert day.lots("AIR") == [(667, 0), (66, 0)]


@pytest.mark.parametrize("parts", [[(2, 3), (1, 3), (0, 3)], [(1, 2), (0, 1)], [(99, 100), (37, 100), (0, 9)]])
def test_partial_returns_sum_to_exactly_one_full_return(parts: list[tuple[int, int]]) -> None:
    """Points and money, of the award and of each sponsor's share."""
    world = promoting(promotion("AIR", at="CAF", bps=777, sponsors={"BNK": 3_333, "GRO": 3_333, "TEL": 3_334}))
    day, whole = PromotedDay(world), PromotedDay(world)
    award = day.do(earn("1 001 AIR", "CAF"))

    backs = [day.do(reverse(award, keep=kept)) for kept in parts]
    back = whole.do(reverse(whole.do(earn("1 001 AIR", "CAF"))))

    assert summed(backs) == summed([back])
    assert day.balance("AIR") == (0, 0, 0)


def summed(backs: Iterable[Transfer]) -> dict[tuple[str, str], int]:
    """Micros by debtor and creditor."""
    sums: dict[tuple[str, str], int] = {}
    for back in backs:
        for debtor, creditor, _, micros in owed(back):
            sums[debtor, creditor] = sums.get((debtor, creditor), 0) + micros
    return sums


def test_a_share_too_small_for_a_point_of_the_award_may_be_one_of_the_bonus() -> None:
    """Keeping 999 of 1 000 of a single point takes nothing of it, and of a bonus of 1 000 one."""
    day = PromotedDay(promoting(promotion("AIR", at="CAF", units=1_000)))
    award = day.do(earn("5 AIR", "CAF"))

    back = day.do(reverse(award, keep=(999, 1_000)))

    assert day.gave()[1:] == [(1, -1)]
    assert sum(micros for _, _, _, micros in owed(back)) == 2 * 60_000


def test_what_is_spent_of_a_bonus_stays_given() -> None:
    """1 000 and 1 000, of which 1 500 were spent: the bonus lot gives back the 500 it has, and the base nothing."""
    day = PromotedDay(promoting(K1))
    award = day.do(earn("1 000 AIR", "CAF"))
    day.do(redeem("1 500 AIR", "CAF"))

    back = day.do(reverse(award))

    assert owed(back) == [("AIR", "BNK", "REVERSAL", 21_000_000), ("AIR", "CAF", "REVERSAL", 9_000_000)]
    assert (day.bonuses.used, day.balance("AIR")) == ({1: 500}, (0, 0, 0))


def test_each_takes_its_own_lot_first_and_then_other_points_the_award_before_its_bonus() -> None:
    """All 2 000 spent, then 1 300 others: the award is whole again, of the bonus 300."""
    day = PromotedDay(promoting(K1))
    award = day.do(earn("1 000 AIR", "CAF"))
    day.do(redeem("2 000 AIR", "CAF"))
    day.do(earn("1 300 AIR", "GRO"))

    back = day.do(reverse(award))
    day.do(earn("900 AIR", "GRO"))
    rest = day.do(reverse(award))

    assert [micros for _, _, _, micros in owed(back)] == [60_000_000, 12_600_000, 5_400_000]
    assert [micros for _, _, _, micros in owed(rest)] == [29_400_000, 12_600_000]
    assert (day.balance("AIR"), day.bonuses.used) == ((200, 0, 0), {1: 0})


def test_where_debts_are_allowed_a_bonus_is_taken_back_whole() -> None:
    """And owed by the member."""
    day = PromotedDay(promoting(K1, world=owing("AIR")))
    award = day.do(earn("1 000 AIR", "CAF"))
    day.do(redeem("1 800 AIR", "CAF"))

    day.do(reverse(award))

    assert (day.balance("AIR"), day.bonuses.used) == ((-1_800, 0, 1_800), {1: 0})


def test_a_conversion_goes_back_with_its_bonus_or_not_at_all() -> None:
    """All points it made must be there, the bonus among them."""
    world = promoting(promotion("BNK>TEL", bps=1_000, sponsors={"GRO": 10_000}), world=coalition(BANK_TO_TELCO))
    day = PromotedDay(world, member(BNK=2_000, TEL=[lot(50)]))
    turned = day.do(convert("1 000 BNK", "TEL", by="BNK"))

    back = day.do(reverse(turned))

    assert owed(back)[2] == ("TEL", "GRO", "REVERSAL", 105_000)
    assert (day.balance("TEL"), day.balance("BNK")) == ((50, 0, 0), (2_000, 0, 0))


def test_what_happened_under_a_promotion_is_reversed_after_it_has_ended() -> None:
    """The promotions of the past are known for ever."""
    ends = replaced(K1, begins=NOON, ends=NOON + HOUR)
    day = PromotedDay(promoting(ends))
    award = day.do(earn("1 000 AIR", "CAF"))
    day.pass_time(HOUR + SECOND)
    day.world = replace(day.world, promotions=Promotions.of([ends]))

    back = day.do(reverse(award))

    assert [ObligationKind.REVERSAL.name] * 3 == [kind for _, _, kind, _ in owed(back)]


def test_who_stands_for_all_sponsors_is_the_one_with_the_greatest_share() -> None:
    """The first of equal ones; the issuer where there is none."""
    funders = [
        promotion("AIR", units=1, sponsors=sponsors).funder_no(MERCHANT_NO["AIR"])
        for sponsors in ({"BNK": 7_000, "CAF": 3_000}, {"GRO": 5_000, "CAF": 5_000}, {})
    ]

    assert funders == [MERCHANT_NO["BNK"], MERCHANT_NO["CAF"], MERCHANT_NO["AIR"]]
