"""`python -m bench.counting`: how many machine instructions a movement takes the ledger, function by function.

Times tell how busy a machine is; instructions are the same twice, so that a hundredth can be told. The compiled copy
posts conversions in batches, in process, under valgrind's callgrind, which must be installed: pip does not bring it.
What is counted is all that the process does between a request's bytes and its answer's, but gRPC.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.counted import PARTIES
from bench.databases import durable_postgres
from bench.processes import BenchFailed, exchange_folder
from bench.rig import coalition, environ_of

_WORKER = "bench.counted"
_COMPILED = re.compile(r":CPyDef_(\w+)")
_SHOWN = 30


def main() -> int:
    """Count, and show the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.counting", description=__doc__)
    parser.add_argument("--batch", type=int, default=200, help="conversions posted at once (default: %(default)s)")
    parser.add_argument("--conversions", type=int, default=4_000, help="how many are counted (default: %(default)s)")
    asked = parser.parse_args()
    console = Console()
    if shutil.which("valgrind") is None:
        console.print("valgrind is not installed: nothing can be counted", style="red", highlight=False)
        return 3
    try:
        with _world() as environ, tempfile.TemporaryDirectory(prefix="exchange-counting-") as folder:
            profile = Path(folder) / "callgrind.out"
            console.print(
                f"Counting {asked.conversions} conversions in batches of {asked.batch}: a minute", style="dim"
            )
            _run_worker(environ, profile, asked.batch, asked.conversions)
            counts = read_counts(_annotated(profile))
    except BenchFailed as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(_table(counts, asked.conversions))
    return 0


@contextmanager
def _world() -> Iterator[dict[str, str]]:
    """A coalition on a PostgreSQL of its own; the environment of a process that posts there, with who posts."""
    with durable_postgres() as postgres, tempfile.TemporaryDirectory(prefix="exchange-counting-logs-") as logs:
        with coalition(postgres.exchange, Path(logs) / "exchange.log") as (_, parties):
            told = [asdict(party) for party in parties]
        environ = environ_of(postgres.exchange)
        parties_file = Path(logs) / "parties.json"
        parties_file.write_text(json.dumps(told), encoding="utf-8")
        yield environ | {PARTIES: str(parties_file)}


def _run_worker(environ: dict[str, str], profile: Path, batch: int, conversions: int) -> None:
    command = (
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--callgrind-out-file={profile}",
        sys.executable,
        "-m",
        _WORKER,
        str(batch),
        str(conversions),
    )
    done = subprocess.run(
        command, cwd=exchange_folder(), env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode or not profile.is_file():
        raise BenchFailed(f"the worker ended with {done.returncode}: {done.stderr[-2_000:]}")


def _annotated(profile: Path) -> str:
    command = ("callgrind_annotate", "--inclusive=yes", "--threshold=100", str(profile))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def read_counts(annotated: str) -> dict[str, int]:
    """Instructions by compiled function, those it calls included, and "all", of callgrind_annotate's inclusive list."""
    counts: dict[str, int] = {}
    for line in annotated.splitlines():
        count, _, rest = line.strip().partition(" ")
        if not count.replace(",", "").isdigit():
            continue
        if "PROGRAM TOTALS" in rest:
            name = "all"
        else:
            found = _COMPILED.search(rest)
            if found is None:
                continue
            name = found[1].replace("___", ".")
        counts[name] = max(counts.get(name, 0), int(count.replace(",", "")))
    return counts


def _table(counts: dict[str, int], conversions: int) -> Table:
    table = Table("compiled function, with those it calls", title="Instructions of a conversion")
    table.add_column("instructions", justify="right")
    table.add_column("of all", justify="right")
    for name, count in sorted(counts.items(), key=lambda item: -item[1])[:_SHOWN]:
        table.add_row(name, f"{count / conversions:,.0f}", f"{count / counts['all']:.1%}")
    return table


if __name__ == "__main__":
    sys.exit(main())
