"""From samples to what is told: medians, ratios within a round, a chart that shows them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from bench import chart, report, smoke
from bench.results import GOALS, GUARDED, Goal, Round, figure_of, summary
from bench.samples import Sample
from bench.scenarios import SCENARIOS


def a_round(slowness: float = 1, **per_second: float) -> Round:
    """Everything at 1 000 a second unless said otherwise; a slow machine divides all of it."""
    return {
        each.name: Sample(
            per_second=per_second.get(each.name, 1_000) / slowness,
            latency_ms={"p50": 1.0, "p99": 2.0},
            cpu_us={"server": 100.0},
            notes={"replayed": 0.05},
        )
        for each in SCENARIOS
    }


def goal(title: str) -> Goal:
    """The goal whose title begins so."""
    (found,) = (each for each in GOALS if each.title.startswith(title))
    return found


def test_a_slow_round_does_not_move_a_ratio() -> None:
    """Both sides were slow together; across rounds the ratio would be anything."""
    rounds = [a_round(convert=8_000), a_round(slowness=10, convert=8_000)]

    reached = figure_of(goal("unary ConvertPoints / ORM").reached, rounds)

    assert [reached.least, reached.greatest] == pytest.approx([8, 8])


def test_bulk_is_held_against_the_best_pgbench_of_the_round() -> None:
    """Whatever number of clients that took."""
    played = a_round(batch_1000=30_000, pgbench_1=500, pgbench_8=9_000, pgbench_32=12_000)

    assert goal("BatchTransfer of 1 000 / best pgbench").reached(played) == pytest.approx(2.5)


def test_what_may_cost_so_much_at_most_is_met_from_below() -> None:
    """Processor time and latency are better the less there is of them."""
    cost = goal("PostgreSQL CPU of a unary")

    assert cost.is_met_by(59)
    assert not cost.is_met_by(61)
    assert goal("unary ConvertPoints / ORM").is_met_by(13)
    assert not goal("unary ConvertPoints / ORM").is_met_by(11)


def test_the_median_is_told_with_its_spread() -> None:
    """One lucky round does not count."""
    rounds = [a_round(convert=rate) for rate in (5_000, 9_000, 6_000)]

    rate = summary(rounds, "convert").per_second

    assert (rate.least, rate.median, rate.greatest) == (5_000, 6_000, 9_000)


def test_what_failed_is_summed_and_said() -> None:
    """A rate with refused calls in it is not worth much, and the screen says so."""
    bad = dict(a_round())
    bad["earn"] = Sample(per_second=1, failed={"14": 3})
    console = Console(width=200, record=True, file=StringIO())

    report.show(console, [bad, bad], {"cores": "2"}, {"fsync": "on"})

    assert "EarnPoints: not answered OK: 6 times 14" in console.export_text()
    assert report.failures([bad, bad]) == 6


def test_every_goal_stands_on_screen_beside_its_yardstick() -> None:
    """Met or missed, with the figures of both sides."""
    console = Console(width=200, record=True, file=StringIO())

    report.show(console, [a_round(convert=4_000, noop=5_000, orm=250)], {}, {"fsync": "on"})

    lines = console.export_text().splitlines()
    (row,) = (line for line in lines if "ORM session per request" in line and "/" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")][1:4] == ["4,000", "250", "16.00"]
    assert "met" in row
    for name in ("EarnPoints", "RedeemPoints", "HoldPoints", "CaptureHold"):
        assert any(f"unary {name} / no-op" in line and "0.20" in line and "missed" in line for line in lines)


def test_a_load_that_was_not_there_is_said() -> None:
    """Latencies at a rate that the generator or the server could not keep up tell little."""
    played = dict(a_round())
    played["noop_at_load"] = Sample(per_second=700, latency_ms={"p50": 1, "p99": 2}, notes={"started": 0.7})
    played["convert_at_load"] = Sample(per_second=990, latency_ms={"p50": 1, "p99": 2}, notes={"started": 0.99})
    # Twice the load is more than can be started, by intent: how much was refused belongs to it.
    played["overload"] = Sample(
        per_second=900, latency_ms={"p50": 1, "p99": 2}, notes={"started": 0.6, "refused": 1_200}
    )
    console = Console(width=200, record=True, file=StringIO())

    report.show(console, [played], {"cores": "2"}, {"fsync": "on"})

    said = console.export_text(clear=False)
    assert "no-op RPC at 80 % load: only 70% of the calls could be started when they were due." in said
    assert "ConvertPoints at 80 % load: only" not in said
    assert "ConvertPoints at twice the load: 60% of the calls could be started, 1,200 were refused at once." in said


def test_json_keeps_every_sample_and_nothing_of_where_it_ran(tmp_path: Path) -> None:
    """Medians can be recomputed from it; paths and host names are nobody's business."""
    path = tmp_path / "results" / "latest.json"

    report.write_json(path, [a_round(), a_round(convert=3_000)], {"cores": "2"}, {"fsync": "on"}, 4.0)

    written = json.loads(path.read_text())
    rates = [sample["per_second"] for sample in written["scenarios"]["convert"]["samples"]]
    assert rates == [1_000, 3_000]
    judged = {each["goal"]: (each["wanted"], each["met"]) for each in written["goals"]}
    assert judged[goal("BatchTransfer of 1 000 / raw").title] == (0.6, True)
    assert judged[goal("unary ConvertPoints / ORM").title] == (12, False)
    assert len(judged) == len(GOALS)
    assert str(tmp_path) not in path.read_text()


def test_the_chart_has_a_bar_as_long_as_its_figure(tmp_path: Path) -> None:
    """Well-formed SVG, and within a panel twice the rate is twice the length."""
    path = tmp_path / "latest.svg"

    chart.write_svg(path, [a_round(batch_1000=40_000, batch_100=20_000)])

    bars = [
        float(bar.attrib["width"])
        for bar in ET.parse(path).iter("{http://www.w3.org/2000/svg}rect")
        if bar.get("class") == "ours"
    ]
    # The stream's stands last.
    hundred, thousand = bars[-3:-1]
    assert thousand == pytest.approx(2 * hundred, rel=0.01)


def test_the_chart_shows_every_rate_that_is_measured(tmp_path: Path) -> None:
    """All but the two that are driven at a set load: their rate was chosen."""
    path = tmp_path / "latest.svg"

    chart.write_svg(path, [a_round()])

    shown = {each.text for each in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")}
    chosen = {"noop_at_load", "convert_at_load"}
    assert {each.title for each in SCENARIOS if each.name not in chosen} <= shown


def test_every_guarded_ratio_has_a_floor_below_what_is_wanted() -> None:
    """A floor catches what became much slower; reaching the goal is another matter."""
    assert set(smoke.floors()) == {goal.title for goal in GUARDED}
    assert all(smoke.floors()[goal.title] < goal.wanted for goal in GUARDED)
    assert {goal.title for goal in GUARDED} <= {goal.title for goal in GOALS}


def test_the_guard_takes_the_best_round_and_tells_what_fell_below() -> None:
    """One slow second is no regression; twice as slow as the floor in every round is one."""
    floors = {goal.title: 1.0 for goal in GUARDED}

    found = smoke.verdicts([a_round(convert=500), a_round(convert=1_200), a_round(batch_1000=10)], floors)

    assert {verdict.title: verdict.holds for verdict in found} == dict.fromkeys(floors, True)
    fallen = smoke.verdicts([a_round(batch_1000=900), a_round(batch_1000=400)], floors)
    assert [verdict.reached for verdict in fallen if not verdict.holds] == [0.9, 0.9]


def test_the_guard_measures_what_its_ratios_are_made_of() -> None:
    """Nothing it needs is left out, nothing else is waited for."""
    asked: set[str] = set()

    class Noting(dict[str, Sample]):
        def __getitem__(self, name: str) -> Sample:
            asked.add(name)
            return super().__getitem__(name)

    smoke.verdicts([Noting(a_round())], smoke.floors())

    assert asked == set(smoke.SCENARIOS)
