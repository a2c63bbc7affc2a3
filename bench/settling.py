"""`python -m bench.settling`: what settlement costs as windows grow, and as files do.

Three questions, each with its yardstick in the same run, so that the ratios mean something on any machine:

- does closing a window and running it take longer when more was moved in it? Small windows just before and after it are
  the yardstick;
- what does the recount from the transfers cost beside a plain GROUP BY of the same rows, and does its memory grow?
- what does netting a file cost beside merely reading it, among few and many participants?
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import judged, machine, settling_chart, settling_files
from bench.databases import durable_postgres
from bench.judged import Judged
from bench.results import Figure
from bench.settling_windows import SMALL, WindowRow, measured

_RESULTS = Path(__file__).parent / "results"
_SIZES = (10_000, 100_000, 1_000_000)
_FULL_SIZES = (*_SIZES, 10_000_000)
_WIDTH_MIN = 150
# Of some twenty milliseconds, on a machine that does other things too.
_FLAT = 1.5
_RECOUNT_MIN = 0.7


def main() -> int:
    """Measure, print, write JSON and the chart."""
    parser = argparse.ArgumentParser(prog="python -m bench.settling", description=__doc__)
    parser.add_argument("--full", action="store_const", dest="sizes", const=_FULL_SIZES, help="up to ten millions")
    parser.add_argument("--sizes", type=int, nargs="+", help="transfers of each window, ascending")
    parser.add_argument("--rounds", type=int, default=5, help="recounts of each window, in turns with GROUP BY")
    parser.add_argument("--obligations", type=int, default=1_000_000, help="rows of each file; 0 measures no files")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="folder for the JSON and the chart")
    parser.set_defaults(sizes=_SIZES)
    chosen = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_MIN)
    windows, postgres = _windows(chosen.sizes, chosen.rounds)
    _show(console, "Windows; seconds are medians", [asdict(row) for row in windows])
    files = settling_files.measured(chosen.obligations) if chosen.obligations else []
    if files:
        _show(console, f"Files of {chosen.obligations:,} obligations", [asdict(row) for row in files])
    judged.show(console, goals(windows))
    about = machine.description()
    console.print(" · ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    document = {
        "machine": about,
        "postgres": postgres,
        "goals": judged.written(goals(windows)),
        "windows": [asdict(row) for row in windows],
        "obligations": chosen.obligations,
        "files": [asdict(row) for row in files],
    }
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "settling.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    settling_chart.write_svg(chosen.output / "settling.svg", windows, files)
    return 0


def goals(windows: Sequence[WindowRow]) -> list[Judged]:
    """Of every window: settling it takes no longer than a small one, and the recount keeps up with a GROUP BY."""
    return [
        *(
            Judged(f"close and run: {row.transfers:,} / {SMALL:,}", _FLAT, Figure.of([row.beside_small]))
            for row in windows
        ),
        *(
            Judged(
                f"recount / plain GROUP BY, its speed: {row.transfers:,}",
                _RECOUNT_MIN,
                Figure.of([row.group_by_beside_recount]),
                at_most=False,
            )
            for row in windows
        ),
    ]


def _windows(sizes: Sequence[int], rounds: int) -> tuple[list[WindowRow], Mapping[str, str]]:
    with (
        durable_postgres() as postgres,
        Progress(console=Console(stderr=True), transient=True, refresh_per_second=1) as progress,
    ):
        task = progress.add_task("windows")

        def told(what: str, done: int, of: int) -> None:
            progress.update(task, description=what, completed=done, total=of)

        return asyncio.run(measured(postgres.exchange, sizes, rounds, told)), postgres.settings


def _show(console: Console, title: str, rows: Sequence[Mapping[str, object]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if value < 1 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())
