"""What is told of posting beside a partition that leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.posters import Call
from bench.retiring_report import ALONE, DETACHING, Round, Span, goals, write

SPANS = [Span(ALONE, 0, 10), Span("archive", 10, 14), Span(DETACHING, 14, 15), Span(ALONE, 15, 25)]


def steady(begins: float, ends: float, seconds: float = 0.1) -> list[Call]:
    """One call after the other, ten transfers each."""
    count = round((ends - begins) / seconds)
    return [Call(begins + place * seconds, begins + (place + 1) * seconds, 10, 0) for place in range(count)]


def test_posting_that_notices_nothing_is_as_fast_in_every_step() -> None:
    """As many transfers a second as alone, and no call waited longer."""
    played = Round.of(1_000, steady(0, 25), SPANS, [0, 0, 0])

    assert [played.beside_alone(name) for name in (ALONE, "archive", DETACHING)] == pytest.approx([1, 1, 1])
    assert played.steps[ALONE].seconds == pytest.approx(20)
    assert played.longest_beside_alone(DETACHING) == pytest.approx(1)
    assert [goal.met for goal in goals([played])][1:] == [True, True]


def test_a_call_that_waits_for_the_detaching_is_seen() -> None:
    """It began before and ended after: its wait counts whole in the step, its transfers by the share."""
    held_up = [*steady(0, 13.5), Call(13.5, 15.5, 10, 0), *steady(15.5, 25)]

    played = Round.of(1_000, held_up, SPANS, [0, 1, 1])

    assert played.steps[DETACHING].longest_ms == pytest.approx(2_000)
    assert played.steps[DETACHING].per_second == pytest.approx(5)
    assert played.beside_alone("archive") < 1
    assert (played.looks, played.waiting) == (3, 2)
    # It reaches into the seconds of posting alone, and is not held against itself there.
    assert played.steps[ALONE].longest_ms == pytest.approx(100)
    assert [goal.met for goal in goals([played])] == [False, False, True]


def test_what_was_refused_meanwhile_is_no_success(tmp_path: Path) -> None:
    """It is counted, judged and written, with every round."""
    played = Round.of(1_000, [*steady(0, 25), Call(24, 24.1, 9, 1)], SPANS, [0])

    write(tmp_path, [played, played], {"cores": "2"}, {"fsync": "on"})

    written = json.loads((tmp_path / "retiring.json").read_text())
    assert [goal["reached"]["median"] for goal in written["goals"]][2] == 2
    assert [goal["met"] for goal in written["goals"]][2] is False
    assert len(written["rounds"]) == 2
    assert "archive" in (tmp_path / "retiring.svg").read_text()
