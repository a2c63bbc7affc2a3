"""Results for people on a screen, and for programs as JSON."""

import json
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.results import GOALS, Goal, Round, Summary, figure_of, summary
from bench.samples import Scenario
from bench.scenarios import SCENARIOS

_OTHERS_MAX = 0.05
_STARTED_MIN = 0.95
_WHO = ("server", "postgres", "generator")


def show(console: Console, rounds: Sequence[Round], about: Mapping[str, str], postgres: Mapping[str, str]) -> None:
    """Print every scenario, then the goals beside what was reached."""
    console.print(_figures(rounds))
    console.print(_goals(rounds))
    for line in _remarks(rounds):
        console.print(line)
    console.print(" · ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    console.print("PostgreSQL: " + " · ".join(f"{name} {value}" for name, value in postgres.items()), style="dim")


def _figures(rounds: Sequence[Round]) -> Table:
    rounds_of = f"{len(rounds)} rounds" if len(rounds) > 1 else "one round"
    table = Table(title=f"Measured, median of {rounds_of}; all on this machine, PostgreSQL with full durability")
    table.add_column("what", no_wrap=True)
    for heading in ("per second", "least to greatest", "p50 ms", "p99 ms", "server µs", "PostgreSQL µs", "client µs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for scenario in SCENARIOS:
        row = summary(rounds, scenario.name)
        table.add_row(scenario.title, *_cells(row))
    return table


def _cells(row: Summary) -> Iterable[str]:
    rate = row.per_second
    yield f"{rate.median:,.0f}"
    yield f"{rate.least:,.0f} to {rate.greatest:,.0f}"
    yield _number(row.latency_ms, "p50", "mean")
    yield _number(row.latency_ms, "p99")
    for who in _WHO:
        yield _number(row.cpu_us, who)


def _number(figures: Mapping[str, float], *names: str) -> str:
    """The first of the figures there is."""
    return next((f"{figures[name]:,.1f}" for name in names if name in figures), "")


def _goals(rounds: Sequence[Round]) -> Table:
    table = Table(title="Goals; a ratio is taken within each round")
    table.add_column("goal", no_wrap=True)
    for heading in ("per second", "yardstick", "reached", "least to greatest", "wanted"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for goal in GOALS:
        reached = figure_of(goal.reached, rounds)
        table.add_row(
            goal.title,
            _amount(figure_of(goal.ours, rounds).median),
            _amount(figure_of(goal.yardstick, rounds).median) if goal.yardstick else "",
            _amount(reached.median),
            f"{_amount(reached.least)} to {_amount(reached.greatest)}",
            f"{'≤' if goal.at_most else '≥'} {_amount(goal.wanted)}",
            _verdict(goal, reached.median),
        )
    return table


def _verdict(goal: Goal, reached: float) -> str:
    if (os.cpu_count() or 1) < goal.cores_min:
        return f"[dim]needs {goal.cores_min} cores[/]"
    return "[green]met[/]" if goal.is_met_by(reached) else "[red]missed[/]"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _remarks(rounds: Sequence[Round]) -> Iterable[str]:
    """What went otherwise than it should."""
    for scenario in SCENARIOS:
        row = summary(rounds, scenario.name)
        if row.failed:
            told = ", ".join(f"{count} times {why}" for why, count in row.failed.items())
            yield f"[yellow]{scenario.title}: not answered OK: {told}[/]"
        if "refused" in row.notes:
            yield (
                f"{scenario.title}: {row.notes['started']:.0%} of the calls could be started,"
                f" {row.notes['refused']:,.0f} were refused at once."
            )
        elif (started := row.notes.get("started", 1)) < _STARTED_MIN:
            yield f"[yellow]{scenario.title}: only {started:.0%} of the calls could be started when they were due.[/]"
    repeated = summary(rounds, "duplicates").notes["replayed"]
    yield f"{repeated:.1%} of the answers with duplicates were replays."
    others = [sample.notes["others"] for each in rounds for sample in each.values() if "others" in sample.notes]
    if others and (share := statistics.median(others)) > _OTHERS_MAX:
        yield f"[yellow]Other programs used {share:.0%} of the machine: compare ratios, and not those too closely.[/]"


def failures(rounds: Sequence[Round]) -> int:
    """Calls that were not answered OK, over everything."""
    return sum(count for each in rounds for sample in each.values() for count in sample.failed.values())


def write_json(
    path: Path, rounds: Sequence[Round], about: Mapping[str, str], postgres: Mapping[str, str], seconds: float
) -> None:
    """Everything that was measured, each sample included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {
        "machine": about,
        "postgres": postgres,
        "seconds_each": seconds,
        "scenarios": {each.name: _written(each, rounds) for each in SCENARIOS},
        "goals": [_goal(goal, rounds) for goal in GOALS],
    }
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _goal(goal: Goal, rounds: Sequence[Round]) -> dict[str, object]:
    reached = figure_of(goal.reached, rounds)
    return {
        "goal": goal.title,
        "wanted": goal.wanted,
        "at_most": goal.at_most,
        "cores_min": goal.cores_min,
        "reached": asdict(reached),
        "met": goal.is_met_by(reached.median),
    }


def _written(scenario: Scenario, rounds: Sequence[Round]) -> dict[str, object]:
    samples = [asdict(each[scenario.name]) for each in rounds]
    return {"title": scenario.title, **asdict(summary(rounds, scenario.name)), "samples": samples}
