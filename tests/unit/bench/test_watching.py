"""What is told of posting beside watchers."""

from __future__ import annotations

import pytest

from bench.watching import Case, figures


def test_a_slow_round_of_posting_beside_watchers_does_not_move_the_ratio() -> None:
    """Each round is held against the same round's posting alone; lags are those of ninety-nine in a hundred."""
    cases = {
        "nobody watches": Case([4_000, 400, 2_000]),
        "one reads everything": Case([2_000, 200, 1_000], lags_ms=[float(lag) for lag in range(200)], lags_events=[7]),
        "100 read nothing": Case([3_600, 360, 1_800]),
    }

    alone, watched, slow = figures(cases)

    assert [row["beside_alone"]["median"] for row in (alone, watched, slow)] == pytest.approx([1, 0.5, 0.9])
    assert slow["beside_alone"]["least"] == pytest.approx(slow["beside_alone"]["greatest"])
    assert (watched["lag_ms"], watched["lag_events"]) == ({"p50": 100, "p99": 198}, {"p50": 7, "p99": 7})
    assert (slow["lag_ms"], slow["lag_events"]) == ({}, {})
