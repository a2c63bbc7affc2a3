"""What postings make of daily counts; a property over any sequence of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.ledger.model import Command, Transfer
from exchange.ledger.quotas import PointsLimit, Quotas
from exchange.movements import RULES
from exchange.refusals import IssuanceLimitExceeded, MemberLimitExceeded, Refusal
from tests.unit.rules.days import Day, capture, hold, release, reverse
from tests.unit.rules.rulebook import (
    ADA,
    CURRENCY_NO,
    LONG_AGO,
    MERCHANT_NO,
    NOON,
    SHANGHAI,
    coalition,
    convert,
    discount,
    earn,
    member,
    rate,
    redeem,
)

TEL, AIR = CURRENCY_NO["TEL"], CURRENCY_NO["AIR"]
CODE_OF = {number: code for code, number in CURRENCY_NO.items()}


class Counted(Day):
    """A member's day on which points are counted."""

    def __init__(self, *, earn: int = 0, use: int = 0, issue: int = 0, since: Any = LONG_AGO, **points: int) -> None:
        world = coalition(rate("10 TEL", "1 AIR"))
        super().__init__(world, member(**points))  # type: ignore[arg-type]
        limits = {number: PointsLimit(earn, use, issue, since, since) for number in (TEL, AIR)}
        self.quotas = Quotas(
            limits,
            {},
            {TEL: 0, AIR: 0},
            SHANGHAI,
            lambda number: MERCHANT_NO[CODE_OF[number]],
            lambda number: f"currencies/{CODE_OF[number]}",
        )

    def do(self, command: Command) -> Transfer:
        """Decide, look at the limits, and carry out."""
        posting = RULES[type(command)](command, self.facts, self.world)
        self.quotas.require_room(command, posting, self.facts)
        self.quotas.use(command, posting, self.facts)
        return super().do(command)

    def counts(self, number: int = TEL) -> tuple[int, int]:
        """Points given to and used by the member today."""
        return {key[2]: (key[3], key[4]) for key in self.quotas.changed_members()}.get(number, (0, 0))

    def issued(self) -> dict[int, int]:
        """Points made today."""
        return dict(self.quotas.changed_issues())


def test_a_member_is_given_the_very_limit_and_no_point_more() -> None:
    """The refusal tells how many may still be given."""
    day = Counted(earn=100)
    day.do(earn("80 TEL", "GRO"))

    with pytest.raises(MemberLimitExceeded) as refused:
        day.do(earn("21 TEL", "CAF"))
    day.do(earn("20 TEL", "CAF"))

    assert refused.value.data == {
        "currency": "currencies/TEL",
        "figure": "earn",
        "limit": "100",
        "left": "20",
        "requested": "21",
    }
    assert day.counts() == (100, 0)


def test_every_way_of_using_points_counts_against_one_limit() -> None:
    """Goods, cash, conversion, and what is on hold."""
    day = Counted(use=100, TEL=1_000)
    for command in (redeem("30 TEL", "CAF"), discount("20 TEL", "GRO"), convert("10 TEL", "AIR", by="TEL")):
        day.do(command)
    day.do(hold("40 TEL"))

    with pytest.raises(MemberLimitExceeded) as refused:
        day.do(redeem("1 TEL", "CAF"))

    assert refused.value.data["figure"] == "use"
    assert day.counts() == (0, 100)


def test_what_is_not_captured_of_a_hold_counts_no_longer() -> None:
    """On the hold's day; a capture itself takes nothing more."""
    day = Counted(use=100, TEL=1_000)
    held, given_back = day.do(hold("60 TEL")), day.do(hold("40 TEL"))

    day.do(capture(held, 25))
    day.do(release(given_back))

    assert day.counts() == (0, 25)


def test_a_hold_of_yesterday_gives_nothing_back_today() -> None:
    """Yesterday's limit was used."""
    day = Counted(use=100, TEL=1_000)
    held = day.do(hold("60 TEL", lifetime=timedelta(days=2)))
    day.pass_time(timedelta(days=1))
    day.quotas = Counted(use=100).quotas

    day.do(capture(held, 25))

    assert day.counts() == (0, 0)


def test_a_reversal_gives_back_what_was_counted_today() -> None:
    """Awards, uses and conversions; what happened before counting began changes nothing."""
    day = Counted(earn=100, use=100, issue=500, TEL=1_000)
    award, used, converted = (
        day.do(earn("50 TEL", "GRO")),
        day.do(redeem("30 TEL", "CAF")),
        day.do(convert("20 TEL", "AIR", by="TEL")),
    )
    before = day.counts(), day.issued()

    day.do(reverse(award, 10))
    day.do(reverse(used))
    day.do(reverse(converted))

    assert before == ((50, 50), {TEL: 50, AIR: 2})
    assert (day.counts(), day.issued()) == ((40, 0), {TEL: 40})
    late = Counted(earn=100, issue=100, since=NOON + timedelta(hours=1))
    early = late.do(earn("5 TEL", "GRO"))
    counted = late.counts()
    late.do(reverse(early))
    assert late.counts() == counted


def test_what_was_made_is_told_to_the_issuer_only() -> None:
    """Anybody else learns that it is too much."""
    day = Counted(issue=100)
    day.do(earn("90 TEL", "GRO"))

    with pytest.raises(IssuanceLimitExceeded) as others:
        day.do(earn("11 TEL", "GRO"))
    with pytest.raises(IssuanceLimitExceeded) as own:
        day.do(earn("11 TEL", "TEL"))

    assert others.value.data == {"currency": "currencies/TEL", "requested": "11"}
    assert own.value.data == {"currency": "currencies/TEL", "requested": "11", "limit": "100", "left": "10"}


def test_a_group_that_is_undone_leaves_the_counts_as_they_were() -> None:
    """Members' and currencies' alike."""
    day = Counted(earn=100, issue=100)
    undo = day.quotas.undo()
    day.do(earn("50 TEL", "GRO"))

    undo()

    assert (day.counts(), day.issued()) == ((0, 0), {})


STEPS = st.lists(
    st.tuples(st.sampled_from(["earn", "use", "hold", "capture", "reverse"]), st.integers(1, 50)), max_size=25
)


@given(STEPS)
def test_no_sequence_passes_a_limit_or_counts_below_zero(steps: list[tuple[str, int]]) -> None:
    """Whatever is given back, the counts are those of what stands."""
    day = Counted(earn=100, use=80, issue=90, TEL=10_000)
    holds: list[Transfer] = []
    others: list[Transfer] = []
    for step, units in steps:
        try:
            if step == "earn":
                others.append(day.do(earn(f"{units} TEL", "GRO")))
            elif step == "use":
                others.append(day.do(redeem(f"{units} TEL", "CAF")))
            elif step == "hold":
                holds.append(day.do(hold(f"{units} TEL")))
            elif step == "capture" and holds:
                day.do(capture(holds.pop(), units))
            elif others:
                day.do(reverse(others.pop()))
        except Refusal:
            continue

    earned, used = day.counts()
    assert 0 <= earned <= 90
    assert 0 <= used <= 80
    assert day.issued().get(TEL, 0) == earned
    assert day.facts.member_id == ADA
