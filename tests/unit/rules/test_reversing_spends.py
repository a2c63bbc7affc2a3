"""Reversals of earns by spend: the points they made, and what they did to the carry."""

from __future__ import annotations

import pytest

from exchange.money.limits import INT64_MAX
from exchange.refusals import AlreadyReversed, AmountOverflow, InsufficientPoints, ReversalExceeds
from tests.unit.rules.days import Day, earn_rule, legs, owed, reverse, spend, with_earn_rules
from tests.unit.rules.rulebook import coalition, redeem

VIP = earn_rule("vip", 100_000)
PLAIN = earn_rule("plain", 100_000, carry=False)
PAIRS = earn_rule("pairs", 300, points=2)


def spending() -> Day:
    """A member who has spent nothing yet."""
    return Day(with_earn_rules(coalition(), VIP, PLAIN, PAIRS))


def test_the_last_spend_undone_leaves_the_carry_it_found() -> None:
    """¥2 700, then ¥1 450 taken back: 2 points and 700 carried, as if there had been no second."""
    day = spending()
    day.do(spend(270_000, "vip"))
    second = day.do(spend(145_000, "vip"))

    back = day.do(reverse(second))

    assert owed(back) == [("TEL", "CAF", "REVERSAL", 24_000)]
    assert (back.earn_rule, back.spend_minor, back.carried_minor) == ("vip", 145_000, 70_000)
    assert (day.facts.notes.carried["vip"], day.balance()) == (70_000, (2, 0, 0))


def test_a_carry_that_made_points_meanwhile_must_be_spent_again_first() -> None:
    """¥2 700 undone after its 700 completed a point of the next spend: 550 below nothing, which ¥550 make up for."""
    day = spending()
    first = day.do(spend(270_000, "vip"))
    day.do(spend(145_000, "vip"))

    day.do(reverse(first))
    below = day.facts.notes.carried["vip"]
    nothing = day.do(spend(50_000, "vip"))
    day.do(spend(105_000, "vip"))

    assert (below, nothing.legs, nothing.carried_minor) == (-55_000, [], -5_000)
    assert (day.facts.notes.carried["vip"], day.balance()) == (0, (3, 0, 0))


def test_points_cannot_be_bought_for_a_fen_and_a_return() -> None:
    """¥999.99, a fen that completes the point, and the ¥999.99 brought back: the next point costs ¥1 999.98 more."""
    day = spending()
    first = day.do(spend(99_999, "vip"))
    day.do(spend(1, "vip"))

    day.do(reverse(first))
    day.do(spend(199_998, "vip"))
    short = day.balance()
    day.do(spend(1, "vip"))

    assert (short, day.balance()) == ((1, 0, 0), (2, 0, 0))


def test_a_spend_that_made_no_points_is_reversed_once() -> None:
    """A transfer without legs that takes the carry back; points of it there are none."""
    day = spending()
    small = day.do(spend(70_000, "vip"))

    with pytest.raises(ReversalExceeds):
        day.do(reverse(small, 1))
    back = day.do(reverse(small))

    assert (legs(back), owed(back), day.facts.notes.carried["vip"]) == ([], [], 0)
    with pytest.raises(AlreadyReversed):
        day.do(reverse(small))


@pytest.mark.parametrize("by", ["share", "points"])
def test_parts_add_up_to_one_whole(by: str) -> None:
    """¥2 700 in three returns of ¥900 or in its two points: nothing is left of it, neither points nor carry."""
    day = spending()
    first = day.do(spend(270_000, "vip"))
    day.do(spend(30_000, "vip"))

    if by == "share":
        shares = [day.do(reverse(first, keep=(270_000 - part * 90_000, 270_000))) for part in (1, 2, 3)]
        assert [part.spend_minor for part in shares] == [90_000] * 3
        assert [sum(one[2] for one in legs(part) if one[0] == "MEMBER") for part in shares] == [1, 1, 0]
    else:
        for _ in range(2):
            day.do(reverse(first, 1))

    assert (day.facts.notes.carried["vip"], day.balance()) == (-70_000, (1, 0, 0))
    with pytest.raises(AlreadyReversed):
        day.do(reverse(first))


def test_in_between_the_member_has_what_it_would_have_kept_by_what_it_kept() -> None:
    """Of ¥2 700 keep ¥1 900: one point and 900 of carry."""
    day = spending()
    first = day.do(spend(270_000, "vip"))

    day.do(reverse(first, keep=(190_000, 270_000)))

    assert (day.facts.notes.carried["vip"], day.balance()) == (90_000, (1, 0, 0))


def test_without_carrying_only_points_come_back() -> None:
    """Nothing was carried, nothing is taken."""
    day = spending()
    first = day.do(spend(170_000, "plain"))

    day.do(reverse(first))

    assert (day.facts.notes.carried["plain"], day.balance()) == (0, (0, 0, 0))
    with pytest.raises(AlreadyReversed):
        day.do(reverse(first))


def test_where_the_points_are_spent_the_carry_comes_back_all_the_same() -> None:
    """Once; after that there is nothing to do until points are there."""
    day = spending()
    first = day.do(spend(170_000, "vip"))
    day.do(redeem("1 TEL", "CAF"))

    back = day.do(reverse(first))

    assert (legs(back), day.facts.notes.carried["vip"]) == ([], 0)
    with pytest.raises(InsufficientPoints):
        day.do(reverse(first))
    day.do(spend(200_000, "vip"))
    day.do(reverse(first))
    assert (day.facts.notes.carried["vip"], day.balance()) == (0, (1, 0, 0))


def test_a_carry_never_passes_64_bits() -> None:
    """Two returns of what had completed the largest points there are."""
    day = Day(with_earn_rules(coalition(), earn_rule("huge", INT64_MAX)))
    first, _, third, _ = [day.do(spend(amount, "huge")) for amount in (INT64_MAX - 1, 1, INT64_MAX - 1, 1)]
    day.do(reverse(first))

    with pytest.raises(AmountOverflow):
        day.do(reverse(third))
