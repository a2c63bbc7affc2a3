"""What a scenario file may say of promotions, and how another one is refused."""

from datetime import UTC, datetime

import pytest

from exchange.scenario.parser import parse_scenario
from exchange.scenario.sections import BadScenario
from tests.unit.scenario.example_day import changed, line_of


def promoted(terms: str) -> str:
    """The example with a promotion of these terms."""
    return changed("rates:\n", f"promotions:\n  - {{id: K1, {terms}}}\nrates:\n")


def test_a_promotion_on_awards_says_whose_and_of_what() -> None:
    """Basis points with a cap, a budget and sponsors, the operator among them; a period as rates have it."""
    terms = (
        "kind: earn_bonus, merchant: TEL, currency: AIR, bonus_bps: 10000, member_cap: 2000, budget: 5000,"
        " effective_from: 2026-03-01, effective_until: null,"
        " sponsors: [{merchant: AIR, share_bps: 7000}, {merchant: OPR, share_bps: 3000}]"
    )

    (promotion,) = parse_scenario(promoted(terms)).promotions

    assert (promotion.kind, promotion.merchant, promotion.source, promotion.currency) == (
        "earn_bonus",
        "TEL",
        None,
        "AIR",
    )
    assert (promotion.bonus_bps, promotion.bonus_points, promotion.member_cap, promotion.budget) == (
        10_000,
        0,
        2_000,
        5_000,
    )
    assert promotion.sponsors == (("AIR", 7_000), ("OPR", 3_000))
    assert (promotion.effective_from, promotion.effective_until) == (datetime(2026, 2, 28, 16, tzinfo=UTC), None)


def test_a_promotion_on_conversions_says_from_what_to_what() -> None:
    """So many points; without cap, budget, sponsors or end; nothing behind a key is as good as no key."""
    (promotion,) = parse_scenario(
        promoted("kind: conversion_bonus, from: TEL, to: AIR, bonus_points: 5, budget: null, sponsors: []")
    ).promotions

    assert (promotion.merchant, promotion.source, promotion.currency) == (None, "TEL", "AIR")
    assert (promotion.bonus_bps, promotion.bonus_points, promotion.budget) == (0, 5, 0)
    assert promotion.line == line_of("rates:") + 1


EARN, TURN = "kind: earn_bonus, currency: AIR", "kind: conversion_bonus, from: TEL, to: AIR"


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ("kind: bonus, currency: AIR", "kind knows earn_bonus, conversion_bonus, not bonus"),
        (f"{EARN}, bonus_bps: 1, bonus_points: 1", "bonus_bps or bonus_points says how much, one of the two"),
        (EARN, "bonus_bps or bonus_points says how much"),
        ("kind: earn_bonus, bonus_bps: 1", "promotions[0].currency is missing"),
        (f"{EARN}, bonus_bps: 1, from: TEL", "unknown key promotions[0].from"),
        (f"{TURN}, bonus_bps: 1, merchant: TEL", "unknown key promotions[0].merchant"),
        (f"{TURN}, bonus_bps: 1, currency: TEL", "unknown key promotions[0].currency"),
        ("kind: conversion_bonus, from: TEL, bonus_bps: 1", "promotions[0].to is missing"),
        (f"{EARN}, bonus_bps: 1, merchant: ARI", "promotions[0].merchant names no merchant of this file: ARI"),
        ("kind: earn_bonus, currency: ARI, bonus_bps: 1", "promotions[0].currency names no currency of this file: ARI"),
        ("kind: conversion_bonus, from: ARI, to: AIR, bonus_bps: 1", "promotions[0].from names no currency"),
        (f"{EARN}, bonus_bps: 1, sponsors: [{{merchant: ARI, share_bps: 1}}]", "sponsors[0].merchant names no"),
        (f"{EARN}, bonus_bps: 1, sponsors: [{{merchant: TEL, share: 1}}]", "sponsors[0].share_bps is missing"),
        (f"{EARN}, bonus_bps: 1, sponsors: [{{merchant: TEL, share_bps: 0}}]", "share_bps must lie between 1"),
        (f"{EARN}, bonus_bps: -1", "promotions[0].bonus_bps must lie between 0"),
        (f"{EARN}, bonus_bps: 1, cap: 5", "unknown key promotions[0].cap"),
    ],
)  # fmt: skip
def test_a_promotion_is_refused_by_line_and_key(terms: str, problem: str) -> None:
    """Before anything is started."""
    with pytest.raises(BadScenario) as refused:
        parse_scenario(promoted(terms))

    assert problem in str(refused.value)
    assert str(refused.value).startswith(f"line {line_of('rates:') + 1}: ")


def test_a_promotion_stands_once() -> None:
    """Its id is its name on the wire."""
    twice = changed("rates:\n", f"promotions:\n  - &one {{id: K1, {EARN}, bonus_bps: 1}}\n  - *one\nrates:\n")

    with pytest.raises(BadScenario, match=r"promotions\[1\]\.id K1 stands twice"):
        parse_scenario(twice)
