"""When a call is made again: what is safe, uneven and longer each time, never beyond the deadline."""

from __future__ import annotations

import random

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.client.attempts import Attempts
from exchange.client.errors import Definite, Refused, Told, Undecided, refused
from exchange.client.policy import FIRST_PAUSE_SECONDS, PAUSE_SECONDS_MAX, Deadlines, Kind

CODE = grpc.StatusCode
NOW = 1_000.0
CONNECTION_LOST = Told(CODE.UNAVAILABLE, "Socket closed")
TOO_SLOW = Told(CODE.DEADLINE_EXCEEDED, "Deadline Exceeded")
BUSY = Told(CODE.RESOURCE_EXHAUSTED, "", "SERVER_BUSY", {"limit": "1"}, retry_after=0.1)
DRAINING = Told(CODE.UNAVAILABLE, "", "SERVER_DRAINING", retry_after=1.0)
TOO_LARGE = Told(CODE.RESOURCE_EXHAUSTED, "Received message larger than max")
TOO_FEW = Told(CODE.FAILED_PRECONDITION, "", "INSUFFICIENT_POINTS")
REVOKED = Told(CODE.UNAUTHENTICATED, "", "CREDENTIAL_UNKNOWN")


def attempts(kind: Kind, *, whole: float = 30.0) -> Attempts:
    """The attempts at a call that begins now; each may take five seconds."""
    return Attempts(kind, Deadlines(5, whole), NOW + whole, random.Random(1))


@pytest.mark.parametrize("told", [CONNECTION_LOST, TOO_SLOW, BUSY, DRAINING])
@pytest.mark.parametrize("kind", [Kind.MOVEMENT, Kind.READING])
def test_what_is_undecided_is_asked_again(kind: Kind, told: Told) -> None:
    """A movement has its key, a reading changes nothing."""
    assert attempts(kind).pause_after(refused(told), NOW) is not None


@pytest.mark.parametrize(
    ("told", "again"), [(CONNECTION_LOST, False), (TOO_SLOW, False), (BUSY, True), (DRAINING, True)]
)
def test_a_change_without_a_key_is_asked_again_only_when_nothing_was_begun(told: Told, again: bool) -> None:  # noqa: FBT001
    """A second attempt could change it twice."""
    assert (attempts(Kind.CHANGE).pause_after(refused(told), NOW) is not None) == again


@pytest.mark.parametrize("told", [TOO_FEW, REVOKED, TOO_LARGE, Told(CODE.INTERNAL, "", "INTERNAL_FAULT")])
@pytest.mark.parametrize("kind", list(Kind))
def test_an_answer_is_not_asked_for_again(kind: Kind, told: Told) -> None:
    """Nor what would end the same way for ever, as a message that is too large."""
    assert attempts(kind).pause_after(refused(told), NOW) is None


def test_a_pause_is_no_shorter_than_the_server_says() -> None:
    """RetryInfo is the least."""
    told = Told(CODE.UNAVAILABLE, "", "DATABASE_UNAVAILABLE", retry_after=4.0)

    pause = attempts(Kind.MOVEMENT).pause_after(refused(told), NOW)

    assert pause is not None
    assert pause >= 4.0


def test_no_pause_ends_after_the_deadline() -> None:
    """Waiting for what comes too late helps nobody."""
    asked = attempts(Kind.MOVEMENT, whole=3.0)

    assert asked.pause_after(refused(DRAINING), NOW + 2.5) is None


@given(seed=st.integers(), told=st.sampled_from([CONNECTION_LOST, TOO_SLOW, BUSY, DRAINING]))
def test_pauses_grow_to_their_longest_and_attempts_end_in_time(seed: int, told: Told) -> None:
    """Whatever chance says: between half and whole of 0.2, 0.6, 1.8, 5, 5 … seconds, or what the server asked for."""
    asked = Attempts(Kind.MOVEMENT, Deadlines(5, 30), NOW + 30, random.Random(seed))
    now, longest, pauses = NOW, FIRST_PAUSE_SECONDS, 0

    while True:
        assert 0 < asked.timeout(now) <= 5
        assert now + asked.timeout(now) <= NOW + 30
        pause = asked.pause_after(refused(told), now)
        if pause is None:
            break
        asked_for = told.retry_after or 0.0
        assert max(longest / 2, asked_for) <= pause <= max(longest, asked_for * 1.5)
        now, longest, pauses = now + pause, min(longest * 3, PAUSE_SECONDS_MAX), pauses + 1

    assert pauses >= 5
    assert now > NOW + 30 - PAUSE_SECONDS_MAX


def test_a_key_revoked_between_two_attempts_leaves_the_outcome_open() -> None:
    """The first may have moved points; that the second was not let in says nothing of it."""
    asked = attempts(Kind.MOVEMENT)
    lost = refused(CONNECTION_LOST, "k1")
    asked.pause_after(lost, NOW)

    assert asked.verdict(refused(REVOKED, "k1")) is lost
    assert isinstance(lost, Undecided)


@pytest.mark.parametrize("before", [None, BUSY, DRAINING])
def test_a_refusal_at_the_door_leaves_no_doubt(before: Told | None) -> None:
    """Nothing was begun before, so the last word is the whole truth."""
    asked = attempts(Kind.MOVEMENT)
    if before is not None:
        asked.pause_after(refused(before), NOW)

    assert asked.verdict(revoked := refused(REVOKED)) is revoked


def test_an_answer_under_the_key_settles_what_was_in_doubt() -> None:
    """One key, one answer: the refusal is that of the first attempt too."""
    asked = attempts(Kind.MOVEMENT)
    asked.pause_after(refused(CONNECTION_LOST), NOW)

    verdict: Refused = asked.verdict(refused(TOO_FEW))

    assert isinstance(verdict, Definite)
