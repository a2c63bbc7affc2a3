"""django-hordak, a ledger one can install, on the same PostgreSQL: one transfer a transaction, several processes.

It lives in an environment of its own, which `make bench` makes from hash-locked requirements: Django is nothing of
ours. Where that is missing, nothing is measured.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from bench.processes import BenchFailed

_PYTHON = Path(__file__).resolve().parents[2] / ".venv-hordak" / "bin" / "python"
_SCRIPT = Path(__file__).with_name("hordak_ledger.py")


@dataclass(frozen=True, slots=True)
class HordakResult:
    """One run, without the time it took to start Django and to make accounts."""

    per_second: float
    done: int


def installed() -> bool:
    """Whether there is an environment to run it in."""
    return _PYTHON.exists()


def run(url: str, *, processes: int, seconds: float) -> HordakResult:
    """Run it with so many processes.

    Raises:
        BenchFailed: it ended with an error.
    """
    address = make_url(url)
    host = address.query.get("host") or address.host or "localhost"
    ran = subprocess.run(
        (str(_PYTHON), str(_SCRIPT), str(host), str(address.database), str(processes), str(seconds)),
        env={name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise BenchFailed(f"django-hordak: {ran.stderr.strip()[-1_000:]}")
    done = sum(json.loads(ran.stdout))
    assert done, ran.stdout
    return HordakResult(per_second=done / seconds, done=done)
