"""What a result was measured on: enough to judge it, nothing that tells whose machine it was."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from bench.processes import PROJECT, exchange_folder

_PACKAGES = ("grpcio", "protobuf", "sqlalchemy", "asyncpg", "uvloop")
_BYTES_PER_GIB = 2**30


def description() -> dict[str, str]:
    """Machine and versions, for people."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _BYTES_PER_GIB
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "exchange": "interpreted" if exchange_folder() == PROJECT else "busiest modules compiled",
        "revision": _revision(),
    }


def _processor() -> str:
    """The processor's name; where the system does not tell, its kind."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _revision() -> str:
    """The commit that is checked out; "unknown" outside a repository."""
    asked = subprocess.run(
        ("git", "rev-parse", "--short", "HEAD"),
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or "unknown"
