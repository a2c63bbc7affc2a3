"""`python -m bench`: the exchange beside its yardsticks, on this machine, in one run."""

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench import chart, machine, report, smoke
from bench.processes import BenchFailed
from bench.results import Round
from bench.rig import Rig, rigged
from bench.samples import Sample, Scenario
from bench.scenarios import SCENARIOS

_RESULTS = Path(__file__).parent / "results"
_WIDTH_MIN = 150


@dataclass(frozen=True, slots=True)
class _Length:
    """How often everything is measured, and for how many seconds each time."""

    rounds: int
    seconds: float


_QUICK = _Length(rounds=1, seconds=1.5)
_USUAL = _Length(rounds=3, seconds=4.0)
_FULL = _Length(rounds=7, seconds=8.0)
_SMOKE = _Length(rounds=2, seconds=1.0)


def main() -> int:
    """Measure, print, write. 1: calls failed, so that the figures count for little. 2: something does not run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    how_long = parser.add_mutually_exclusive_group()
    how_long.add_argument("--quick", action="store_const", dest="length", const=_QUICK, help="one short round")
    how_long.add_argument("--full", action="store_const", dest="length", const=_FULL, help="more and longer rounds")
    how_long.add_argument(
        "--smoke", action="store_const", dest="length", const=_SMOKE, help="only ratios, against bench/floors.json"
    )
    parser.add_argument("--output", type=Path, default=_RESULTS, help="folder for the JSON and the chart")
    parser.set_defaults(length=_USUAL)
    chosen = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # As an exception, so that every server that was started is ended too.
        signal.signal(number, _leave)
    try:
        return _guard() if chosen.length is _SMOKE else _measure(chosen.length, chosen.output)
    except BenchFailed as failed:
        print(failed, file=sys.stderr)
        return 2


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _measure(length: _Length, output: Path) -> int:
    rounds, postgres = _rounds(length, SCENARIOS)
    about = machine.description()
    console = _console()
    report.show(console, rounds, about, postgres)
    report.write_json(output / "latest.json", rounds, about, postgres, length.seconds)
    chart.write_svg(output / "latest.svg", rounds)
    return 1 if report.failures(rounds) else 0


def _guard() -> int:
    """0: every ratio is above its floor."""
    rounds, _ = _rounds(_SMOKE, [each for each in SCENARIOS if each.name in smoke.SCENARIOS])
    found = smoke.verdicts(rounds, smoke.floors())
    smoke.show(_console(), found)
    return 0 if all(verdict.holds for verdict in found) and not report.failures(rounds) else 1


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_MIN)
    return console


def _rounds(length: _Length, scenarios: Sequence[Scenario]) -> tuple[list[Round], Mapping[str, str]]:
    """So many rounds, and the settings of the PostgreSQL they ran on."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        # Redrawing is work on the machine that is being measured.
        refresh_per_second=1,
    )
    with progress:
        task = progress.add_task("starting the servers, making the coalition", total=length.rounds * len(scenarios))
        with rigged() as rig:
            rounds = [_round(rig, length.seconds, scenarios, progress, task) for _ in range(length.rounds)]
            return rounds, rig.databases.settings


def _round(rig: Rig, seconds: float, scenarios: Sequence[Scenario], progress: Progress, task: TaskID) -> Round:
    """Everything once, one after the other: a slow minute of the machine then slows neighbours alike."""
    samples: dict[str, Sample] = {}
    for scenario in scenarios:
        progress.update(task, description=scenario.title)
        samples[scenario.name] = scenario.run(rig, seconds, samples)
        progress.advance(task)
    return samples


if __name__ == "__main__":
    sys.exit(main())
