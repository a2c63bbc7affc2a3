"""What is told of posting beside watchers."""

from __future__ import annotations

import pytest

from bench.posters import Call
from bench.watching import Case, Seen, behind, figures, goals


def test_a_slow_round_of_posting_beside_watchers_does_not_move_the_ratio() -> None:
    """Each round is held against the same round's posting alone; lags are those of ninety-nine in a hundred."""
    cases = {
        "nobody watches": Case([4_000, 400, 2_000]),
        "one reads everything": Case([2_000, 200, 1_000], lags_ms=[float(lag) for lag in range(200)], lags_events=[7]),
        "balances": Case([4_000, 400, 2_000], reads_ms=[4.0, 4.0, 40.0], quiet_reads_ms=[2.0]),
        "100 read nothing": Case([3_600, 360, 1_800]),
    }

    alone, watched, asked, slow = figures(cases)

    assert [row["beside_alone"]["median"] for row in (alone, watched, slow)] == pytest.approx([1, 0.5, 0.9])
    assert slow["beside_alone"]["least"] == pytest.approx(slow["beside_alone"]["greatest"])
    assert (watched["lag_ms"], watched["lag_events"]) == ({"p50": 100, "p99": 198}, {"p50": 7, "p99": 7})
    assert (slow["lag_ms"], slow["lag_events"]) == ({}, {})
    assert (asked["read_ms"], asked["quiet_read_ms"]) == ({"p50": 4, "p99": 40}, {"p50": 2, "p99": 2})
    assert [goal.met for goal in goals([alone, watched, asked, slow])] == [True]


def test_a_watcher_is_behind_by_what_was_answered_and_not_told() -> None:
    """Calls that end after a message came do not count; who is told before the poster is not ahead."""
    calls = [Call(0, 1, 100, 0), Call(0, 2, 100, 0), Call(1, 3, 100, 0)]
    seen = [Seen(0.5, 1.0, 100), Seen(1.0, 1.0, 60), Seen(2.5, 1.0, 150), Seen(9, 1.0, 300)]

    assert behind(calls, seen) == [0, 40, 50, 0]
