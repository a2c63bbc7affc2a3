"""How a scenario file says its movements: those of a member, and those that follow an earlier one by its key."""

from dataclasses import replace

import pytest

from exchange.scenario.model import EarnRule, ExpectRefusal, FollowUp, Movement
from exchange.scenario.parser import parse_scenario
from exchange.scenario.sections import BadScenario
from tests.unit.scenario.example_day import changed, line_of

MOVES = {
    "campaign": (
        "op: campaign, merchant: TEL, member: ada, currency: TEL, points: 5",
        Movement("campaign", "TEL", "ada", "TEL", 5, 0),
    ),
    "cash-out": (
        "op: cash_out, merchant: TEL, member: ada, currency: TEL, points: 5, key: o1",
        Movement("cash_out", "TEL", "ada", "TEL", 5, 0, key="o1"),
    ),
    "hold": (
        "op: hold, merchant: TEL, member: ada, currency: TEL, points: 5, key: h1, expires_in: 600",
        Movement("hold", "TEL", "ada", "TEL", 5, 0, expires_in=600, key="h1"),
    ),
    "earn by rule": (
        "op: earn, merchant: TEL, member: ada, currency: TEL, amount: 50, rule: r, key: s1",
        Movement("earn", "TEL", "ada", "TEL", 0, 0, amount=50, rule="r", key="s1"),
    ),
    "reverse": ("op: reverse, of: e1, points: 3, key: r1", FollowUp("reverse", "e1", 0, points=3, key="r1")),
    "reverse cumulatively": (
        "op: reverse, of: e1, retained: 0, total: 3",
        FollowUp("reverse", "e1", 0, retained=0, total=3),
    ),
    "reverse all": ("op: reverse, of: c1", FollowUp("reverse", "c1", 0)),
}
RULE = "earn_rules:\n  - {id: r, merchant: TEL, currency: TEL, per_amount: 100, points: 1}\nrates:\n"


@pytest.mark.parametrize(("event", "meant"), MOVES.values(), ids=MOVES)
def test_every_movement_is_understood(event: str, meant: Movement | FollowUp) -> None:
    """With the keys its op takes, and the defaults of what it leaves out."""
    day = parse_scenario(changed("op: close_window", event).replace("rates:\n", RULE))

    assert replace(day.events[4], line=0) == meant
    assert day.earn_rules == (EarnRule("r", "TEL", "TEL", 100, 1, carry_remainder=False, line=10),)


def test_a_capture_and_a_void_follow_a_hold() -> None:
    """By the key the hold was given; in part, or all of it."""
    hold = "op: hold, merchant: TEL, member: ada, currency: TEL, points: 5, key: h1, expires_in: 600"
    more = f"{hold}}}\n  - {{op: capture, of: h1, points: 4}}\n  - {{op: capture, of: h1}}\n  - {{op: void, of: h1"

    day = parse_scenario(changed("op: close_window", more))

    assert [replace(event, line=0) for event in day.events[5:]] == [
        FollowUp("capture", "h1", 0, points=4),
        FollowUp("capture", "h1", 0),
        FollowUp("void", "h1", 0),
    ]


BAD_MOVES = {
    "a key of no event": ("op: reverse, of: e2", "events[4].of names the key of no earlier event: e2"),
    "a misspelt key": ("op: void, off: e1", "unknown key events[4].off; events[4].of is missing"),
    "a capture of an earn": ("op: capture, of: e1", "events[4].of names no hold but op 'earn': e1"),
    "a reversal of nothing": ("op: reverse, of: e1, points: 0", "events[4].points must lie between 1"),
    "two ways to say how much": (
        "op: reverse, of: e1, points: 3, retained: 1, total: 2",
        "events[4].points stands beside retained and total",
    ),
    "a share of nothing": ("op: reverse, of: e1, retained: 1", "events[4].total is missing"),
    "a hold for ever": (
        "op: hold, merchant: TEL, member: ada, currency: TEL, points: 5",
        "events[4].expires_in is missing",
    ),
    "spend without a rule": (
        "op: earn, merchant: TEL, member: ada, currency: TEL, amount: 5",
        "events[4].rule is missing",
    ),
    "spend and points": (
        "op: earn, merchant: TEL, member: ada, currency: TEL, points: 5, amount: 5, rule: r",
        "unknown key events[4].points",
    ),
    "a rule of no file": (
        "op: earn, merchant: TEL, member: ada, currency: TEL, amount: 5, rule: x",
        "events[4].rule names no earn rule of this file: x",
    ),
    "a rule of another currency": (
        "op: earn, merchant: TEL, member: ada, currency: AIR, amount: 5, rule: r",
        "events[4].rule makes TEL, not AIR",
    ),
}


@pytest.mark.parametrize(("event", "problem"), BAD_MOVES.values(), ids=BAD_MOVES)
def test_a_movement_that_cannot_be_meant_is_refused_by_line_and_key(event: str, problem: str) -> None:
    """Before anything is started."""
    with pytest.raises(BadScenario) as refused:
        parse_scenario(changed("op: close_window", event).replace("rates:\n", RULE))

    assert str(refused.value).startswith(f"line {line_of('op: close_window') + 2}: {problem}")


def test_a_refusal_may_be_expected_of_capturing_what_is_no_hold() -> None:
    """But there must be something to name."""
    event = "op: expect_refusal, reason: RESOURCE_NOT_FOUND, event: {op: capture, of: e1}"

    day = parse_scenario(changed("op: close_window", event))

    assert isinstance(day.events[4], ExpectRefusal)
    assert day.events[4].movement == FollowUp("capture", "e1", line_of("op: close_window"))
