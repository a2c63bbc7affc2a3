"""`python -m bench.settling`: what settlement costs as windows grow, and as files do.

Three questions, each with its yardstick in the same run, so that the ratios mean something on any machine:

- does closing a window and running it take longer when more was moved in it? The smallest window is the yardstick;
- what does the recount from the transfers cost beside a plain GROUP BY of the same rows?
- what does netting a file cost beside merely reading it, among few and many participants?
"""

import argparse
import asyncio
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import machine
from bench.databases import durable_postgres
from bench.settling_windows import prepared

MODES = ("bilateral", "multilateral", "direct", "setoff")
PARTICIPANTS = (20, 200, 2_000)
_RESULTS = Path(__file__).parent / "results"
_KIB_PER_MIB = 1_024


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window of so many transfers of two obligations each, and how long each step took."""

    transfers: int
    close_and_run_s: float
    beside_smallest: float
    recount_s: float
    group_by_s: float
    recount_beside_group_by: float


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file netted in one mode: CPU seconds of the process, the most memory it had, and both beside reading it."""

    participants: int
    mode: str
    pairs: int
    cpu_s: float
    beside_reading: float
    memory_mib: int


def main() -> int:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.settling", description=__doc__)
    parser.add_argument("--obligations", type=int, default=1_000_000, help="rows of each file")
    parser.add_argument(
        "--transfers", type=int, default=300_000, help="of the largest window; each is ten times the next"
    )
    parser.add_argument("--output", type=Path, default=_RESULTS / "settling.json", help="where the JSON goes")
    chosen = parser.parse_args()
    console = Console()
    windows = _windows([chosen.transfers // 100, chosen.transfers // 10, chosen.transfers])
    _show(console, "Windows", windows)
    files = _files(chosen.obligations)
    _show(console, f"Files of {chosen.obligations:,} obligations", files)
    about = machine.description()
    console.print(" · ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": about,
        "obligations": chosen.obligations,
        "windows": [asdict(row) for row in windows],
        "files": [asdict(row) for row in files],
    }
    chosen.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def _windows(sizes: Sequence[int]) -> list[WindowRow]:
    with durable_postgres() as postgres:
        return asyncio.run(_measured_windows(postgres.exchange, sizes))


async def _measured_windows(url: str, sizes: Sequence[int]) -> list[WindowRow]:
    """Each window is filled, closed, run and recounted, from the smallest to the largest, in one database."""
    rows: list[WindowRow] = []
    async with prepared(url) as windows:
        await windows.fill(1)
        await windows.close_and_run()  # what happens only the first time is no window's
        for size in sizes:
            await windows.fill(size)
            ran = await _seconds(windows.close_and_run)
            grouped, recounted = await _seconds(windows.group_by), await _seconds(windows.recount)
            smallest = rows[0].close_and_run_s if rows else ran
            rows.append(WindowRow(size, ran, ran / smallest, recounted, grouped, recounted / grouped))
    return rows


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def _files(obligations: int) -> list[FileRow]:
    rows: list[FileRow] = []
    with tempfile.TemporaryDirectory(prefix="exchange-bench-files-") as folder:
        for participants in PARTICIPANTS:
            file = Path(folder) / f"{participants}.csv"
            write_obligations(file, obligations, participants)
            reading = _child(["-c", _READ, str(file)])[0]
            for mode in MODES:
                answer = Path(folder) / "answer.json"
                command = ["-m", "settlement", "net", str(file), "--mode", mode, "--json"]
                cpu, memory = _child(command, answer)
                with answer.open(encoding="utf-8") as text:
                    pairs = len(json.load(text)["CNY"]["pairs"])
                rows.append(FileRow(participants, mode, pairs, cpu, cpu / reading, memory))
    return rows


_READ = "import csv, sys; print(sum(int(row[4]) for row in csv.reader(open(sys.argv[1])) if row[4] != 'amount'))"


def write_obligations(file: Path, count: int, participants: int) -> None:
    """A file of so many obligations between so many participants; the same again for the same figures."""
    draw = random.Random(f"{count} {participants}")
    names = [f"M{number:04}" for number in range(participants)]
    with file.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(("id", "debtor", "creditor", "currency", "amount"))
        for number in range(count):
            debtor, other = draw.randrange(participants), draw.randrange(participants - 1)
            creditor = other + (other >= debtor)
            rows.writerow((f"t{number}", names[debtor], names[creditor], "CNY", draw.randrange(1, 500_000)))


def _child(arguments: Sequence[str], output: Path | None = None) -> tuple[float, int]:
    """CPU seconds and greatest memory, MiB, of a Python process that does this."""
    code = (
        "import os, resource, subprocess, sys\n"
        "subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], 'wb'), check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(output or "/dev/null"), sys.executable, *arguments],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout.split()
    return float(told[0]), int(told[1]) // _KIB_PER_MIB


def _show(console: Console, title: str, rows: Sequence[WindowRow | FileRow]) -> None:
    table = Table(title=title, title_justify="left")
    values = [asdict(row) for row in rows]
    for name in values[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in values:
        table.add_row(
            *(
                f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
                for value in row.values()
            )
        )
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
