"""What is told of a ledger as it grows."""

from __future__ import annotations

import json
from pathlib import Path

from bench.growing_report import MEASURES, Row, goals, write
from bench.samples import Sample


def a_ledger(size: int, *costs: float, bytes_beside_bare: float = 1.4) -> Row:
    """Every operation costs so many microseconds in each of the rounds."""
    rounds = [
        {name: Sample(per_second=1.0, latency_ms={"p50": 1.0}, cpu_us={"server": each}) for name in MEASURES}
        for each in costs
    ]
    return Row(size, size, 1_400.0, bytes_beside_bare, rounds)


def test_a_larger_ledger_is_judged_within_each_round() -> None:
    """A slow round slows both; what costs a fifth more in every round is missed, a tenth more is not."""
    small = a_ledger(10_000, 100, 1_000, 100)
    tenth, fifth = a_ledger(1_000_000, 110, 1_100, 110), a_ledger(10_000_000, 120, 1_200, 120, bytes_beside_bare=1.6)

    found = {goal.goal: goal.met for goal in goals([small, tenth, fifth])}

    assert found["ConvertPoints, one a call: 1,000,000 / 10,000"]
    assert not found["ConvertPoints, one a call: 10,000,000 / 10,000"]
    bytes_of = [met for title, met in found.items() if title.startswith("bytes")]
    assert bytes_of == [True, True, False]
    # It adds up what came since the latest monthly statement: told, not judged.
    assert not any("from now on" in title for title in found)


def test_json_says_what_was_met_and_on_which_postgres(tmp_path: Path) -> None:
    """Goals beside the rounds they are made of."""
    rows = [a_ledger(10_000, 100), a_ledger(1_000_000, 130)]

    write(tmp_path, rows, {"cores": "2"}, {"shared_buffers": "2GB"}, 2.0)

    written = json.loads((tmp_path / "growing.json").read_text())
    assert written["postgres"] == {"shared_buffers": "2GB"}
    assert {goal["met"] for goal in written["goals"] if goal["wanted"] == 1.15} == {False}
    assert len(written["rows"][1]["rounds"]) == 1
