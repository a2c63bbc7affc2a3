"""Earning by spend: so many points for each full amount, and what is left counts with the next one."""

from __future__ import annotations

import pytest

from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, ExpiryNotAllowed, ResourceNotFound, RoleMissing
from tests.unit.rules.days import HOUR, Day, earn_rule, owed, spend, with_earn_rules
from tests.unit.rules.rulebook import NOON, coalition

VIP = earn_rule("vip-spend", 100_000)
PLAIN = earn_rule("plain", 100_000, carry=False)
DOUBLE = earn_rule("double", 300, points=2)


def spending() -> Day:
    """A member who has spent nothing yet."""
    return Day(with_earn_rules(coalition(), VIP, PLAIN, DOUBLE, earn_rule("elsewhere", 1, at="GRO")))


def test_the_rulebooks_spend_gives_two_points_and_two() -> None:
    """¥2 700 give 2 and carry 700; ¥1 450 more give 2 and carry 150."""
    day = spending()

    first = day.do(spend(270_000, "vip-spend"))
    carried = day.facts.notes.carried["vip-spend"]
    second = day.do(spend(145_000, "vip-spend"))

    assert [owed(one) for one in (first, second)] == [[("CAF", "TEL", "EARN", 24_000)]] * 2
    assert (carried, day.facts.notes.carried["vip-spend"], day.balance()) == (70_000, 15_000, (4, 0, 0))


def test_an_amount_that_is_too_small_makes_no_points_and_is_carried() -> None:
    """A transfer without legs: it is on record, and the next yuan may complete a point."""
    day = spending()

    nothing = day.do(spend(99_999, "vip-spend"))
    day.do(spend(1, "vip-spend"))

    assert (nothing.legs, nothing.obligations) == ([], [])
    assert (day.facts.notes.carried["vip-spend"], day.balance()) == (0, (1, 0, 0))


def test_without_carrying_each_amount_stands_alone() -> None:
    """Twice ¥1 999.99 are two points, not three."""
    day = spending()

    for _ in range(2):
        day.do(spend(199_999, "plain"))

    assert (day.facts.notes.carried["plain"], day.balance()) == (0, (2, 0, 0))


def test_each_rule_carries_for_itself() -> None:
    """What is left under one does not complete a point of another."""
    day = spending()

    day.do(spend(50_000, "vip-spend"))
    day.do(spend(350, "double"))

    assert day.facts.notes.carried == {"vip-spend": 50_000, "double": 50}
    assert day.balance() == (2, 0, 0)


@pytest.mark.parametrize("rule", ["nix", "elsewhere"])
def test_a_rule_of_nobody_or_of_another_merchant_is_not_found(rule: str) -> None:
    """By the field that named it."""
    with pytest.raises(ResourceNotFound) as caught:
        spending().do(spend(1, rule))

    assert caught.value.data == {"resource": f"earnRules/{rule}", "field": "spend.rule"}


def test_a_spend_is_an_award_and_asks_for_its_role() -> None:
    """A rule does not make an earning merchant."""
    day = spending()
    day.world = with_earn_rules(coalition(roles={"CAF": []}), VIP)

    with pytest.raises(RoleMissing):
        day.do(spend(1, "vip-spend"))


def test_a_spend_takes_no_expiry_where_the_policy_takes_none() -> None:
    """Not even one that makes no points: what is asked is wrong before it is counted."""
    command = spend(1, "vip-spend")
    command.expires_at = NOON + HOUR

    with pytest.raises(ExpiryNotAllowed):
        spending().do(command)


def test_points_that_64_bits_do_not_hold_are_refused() -> None:
    """With what was carried: the amounts of two spends may pass 64 bits together."""
    day = Day(with_earn_rules(coalition(), earn_rule("generous", 2, points=INT64_MAX)))
    day.do(spend(1, "generous"))

    with pytest.raises(AmountOverflow):
        day.do(spend(INT64_MAX, "generous"))
