"""Quotas of merchants at one server process, by a clock that the test moves."""

from __future__ import annotations

import pytest

from exchange.callers import Caller, CallerRole
from exchange.refusals import CallRateExceeded, TooManyCalls
from exchange.serving.quotas import CallQuota, Gate

GRO = Caller(CallerRole.MERCHANT, "apiKeys/1", 5, "GRO")
CAF = Caller(CallerRole.MERCHANT, "apiKeys/2", 6, "CAF")
OPERATOR = Caller(CallerRole.OPERATOR, "apiKeys/3")
S = 1_000_000_000
"""A second."""


class At:
    """A gate for GRO, and what time it is there."""

    def __init__(self, rate: int = 0, burst: int = 0, concurrent: int = 0) -> None:
        self.now = 100
        self.quotas = {5: CallQuota(rate, burst, concurrent)}
        self.gate = Gate(lambda: self.quotas, lambda: self.now)

    def let_through(self, times: int, caller: Caller = GRO) -> int:
        """How many of so many calls, one after the other."""
        through = 0
        for call in range(times):
            try:
                self.gate.enter(caller, call)
                through += 1
            except CallRateExceeded:
                continue
            finally:
                self.gate.leave(call)
        return through


def test_a_burst_goes_through_and_then_so_many_a_second() -> None:
    """What gathers while it is quiet is never more than a burst."""
    at = At(rate=10, burst=4)

    through = [at.let_through(9)]
    for tenths in (1, 5, 36_000):
        at.now += tenths * S // 10
        through.append(at.let_through(9))

    assert through == [4, 1, 4, 4]


def test_the_refusal_says_when_there_is_room() -> None:
    """To the millisecond; coming then, the call is taken."""
    at = At(rate=4, burst=1)
    at.gate.enter(GRO, "first")

    with pytest.raises(CallRateExceeded) as refused:
        at.gate.enter(GRO, "second")
    assert refused.value.retry_after_ms == 250
    at.now += S // 4

    assert at.let_through(1) == 1


def test_items_of_a_batch_are_made_up_for_afterwards() -> None:
    """Fifty after the call itself: at ten a second nothing for nearly five seconds."""
    at = At(rate=10, burst=4)
    at.gate.enter(GRO, "batch")
    at.gate.charge(GRO, 49)

    before = at.let_through(1)
    at.now += 9 * S // 2
    still = at.let_through(1)
    at.now += S // 5

    assert (before, still, at.let_through(9)) == (0, 0, 1)


def test_items_of_a_stream_wait_while_there_is_a_debt() -> None:
    """The stream goes on; what comes too fast is refused item by item."""
    at = At(rate=10, burst=4)
    at.gate.enter(GRO, "stream")
    at.gate.charge(GRO, 30, may_wait=True)

    with pytest.raises(CallRateExceeded):
        at.gate.charge(GRO, 1, may_wait=True)
    at.now += 10 * S

    at.gate.charge(GRO, 1, may_wait=True)


def test_places_are_given_back_whatever_became_of_the_call() -> None:
    """Also of one that was refused for its rate; leaving twice, or without a place, changes nothing."""
    at = At(rate=1, burst=1, concurrent=2)
    at.gate.enter(GRO, "one")
    with pytest.raises(CallRateExceeded):
        at.gate.enter(GRO, "two")
    with pytest.raises(TooManyCalls):
        at.gate.enter(GRO, "three")

    for call in ("two", "two", "three"):
        at.gate.leave(call)
    at.now += S
    at.gate.enter(GRO, "four")

    with pytest.raises(TooManyCalls):
        at.gate.enter(GRO, "five")


def test_others_are_never_held_up() -> None:
    """Merchants without a quota, and callers that are no merchants."""
    at = At(rate=1, burst=1, concurrent=1)
    at.gate.enter(GRO, "gro")

    assert at.let_through(50, CAF) == at.let_through(50, OPERATOR) == 50
    at.gate.charge(CAF, 1_000, may_wait=True)


def test_a_changed_quota_holds_from_the_next_call_on() -> None:
    """With a full bucket of its own; none at all lets everything through."""
    at = At(rate=1, burst=1)
    at.let_through(5)

    at.quotas = {5: CallQuota(1, 3, 0)}
    more = at.let_through(5)
    at.quotas = {}

    assert (more, at.let_through(5)) == (3, 5)
