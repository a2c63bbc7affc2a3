"""A reversal takes bonus points back with what they were given for, and sponsors have their money again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from exchange.ledger.model import ObligationKind, Transfer
from exchange.promotions.model import Promotions
from tests.unit.rules.days import HOUR, owed, owing, reverse
from tests.unit.rules.promotions import BANK_TO_TELCO, K1, PromotedDay, promoting, promotion, replaced
from tests.unit.rules.rulebook import (
    MERCHANT_NO,
    NOON,
    SECOND,
    coalition,
    convert,
    earn,
    lot,
    member,
    redeem,
)


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


def test_what_a_sponsor_that_has_left_would_get_back_the_operator_gets() -> None:
    """BNK left for good after the award; CAF, which is there, has its part itself."""
    day = PromotedDay(promoting(K1))
    award = day.do(earn("1 000 AIR", "CAF"))
    merchants = dict(day.world.directory.merchants)
    merchants[MERCHANT_NO["BNK"]] = replace(merchants[MERCHANT_NO["BNK"]], suspended=True, has_left=True)
    day.world = replace(day.world, directory=replace(day.world.directory, merchants=merchants))

    back = day.do(reverse(award))

    assert owed(back) == [
        ("AIR", "CAF", "REVERSAL", 60_000_000),
        ("AIR", "OPR", "REVERSAL", 42_000_000),
        ("AIR", "CAF", "REVERSAL", 18_000_000),
    ]


def test_of_the_operators_own_points_it_keeps_what_a_sponsor_that_has_left_would_get_back() -> None:
    """Nobody owes itself."""
    day = PromotedDay(promoting(K1))
    award = day.do(earn("1 000 AIR", "CAF"))
    merchants = dict(day.world.directory.merchants)
    merchants[MERCHANT_NO["BNK"]] = replace(merchants[MERCHANT_NO["BNK"]], suspended=True, has_left=True)
    issued = replace(day.world.directory, merchants=merchants, operator_no=MERCHANT_NO["AIR"])
    day.world = replace(day.world, directory=issued)

    back = day.do(reverse(award))

    assert owed(back) == [("AIR", "CAF", "REVERSAL", 60_000_000), ("AIR", "CAF", "REVERSAL", 18_000_000)]


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
