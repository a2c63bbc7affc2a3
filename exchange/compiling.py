"""`python -m exchange.compiling FOLDER`: a copy of the exchange whose busiest modules are compiled to machine code.

The copy is served like the original (`cd FOLDER && python -m exchange serve`) and does the same; it needs a third less
of the processor for a movement. It is made by mypyc from the very same sources, which stay the ones that are read,
tested and changed. A C compiler is needed to make it, none to run it, and nothing needs it: see docs/adr/0027.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import typer

PACKAGE = Path(__file__).resolve().parent
_DIGEST = "compiled-from"
_BESIDE = (
    ".state",
    "pyproject.toml",
    "settlement",
    "tests",
    "examples",
    "docs",
    "protos",
    "bench",
    "README.md",
    "Makefile",
)
"""What stands beside the exchange in a checkout; the copy refers to it."""

HOT = (
    "api/answers.py",
    "api/message_bytes.py",
    "api/transfers_out.py",
    "api/wire.py",
    "callers.py",
    "conversion/rules.py",
    "directory/model.py",
    "directory/pricing.py",
    "discount/rules.py",
    "earning/rules.py",
    "ledger/binary.py",
    "ledger/bonus_lots.py",
    "ledger/bonuses.py",
    "ledger/caches.py",
    "ledger/decision.py",
    "ledger/effects.py",
    "ledger/exposures.py",
    "ledger/external.py",
    "ledger/facts.py",
    "ledger/ids.py",
    "ledger/keys.py",
    "ledger/kinds.py",
    "ledger/legs.py",
    "ledger/making.py",
    "ledger/member_account.py",
    "ledger/memory.py",
    "ledger/model.py",
    "ledger/packing.py",
    "ledger/quotas.py",
    "ledger/quote.py",
    "ledger/waiting.py",
    "ledger/wanting.py",
    "money/limits.py",
    "money/rounding.py",
    "movements.py",
    "quotes/rules.py",
    "rates/model.py",
    "redemption/rules.py",
    "serving/checks.py",
    "serving/instants.py",
    "tuples.py",
)
"""Modules every movement passes through, and those they call. None has a coroutine: compiled, a bare `raise` after an
`await` has raised another task's exception."""


def is_compiled() -> bool:
    """Whether this very process runs the compiled copy."""
    found = importlib.util.find_spec("exchange.ledger.packing")
    return found is not None and not str(found.origin).endswith(".py")


def is_current(folder: Path) -> bool:
    """Whether a folder holds a copy made of the present sources by this Python."""
    noted = folder / _DIGEST
    return noted.is_file() and noted.read_text(encoding="utf-8") == _digest(PACKAGE)


def make(folder: Path) -> None:
    """Put the copy there, replacing an earlier one only when the new one is whole.

    Raises:
        CalledProcessError: the compiler said no; its words are the error's `stdout`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
        made = Path(work) / "copy"
        shutil.copytree(PACKAGE, made / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
        # One ledger, whichever serves it; and a copy that is replaced takes none with it.
        (PACKAGE.parent / ".state").mkdir(exist_ok=True)
        for name in _BESIDE:
            if (PACKAGE.parent / name).exists():
                (made / name).symlink_to(PACKAGE.parent / name)
        subprocess.run(
            (sys.executable, "-m", "mypyc", *(f"{PACKAGE.name}/{name}" for name in HOT)),
            cwd=made,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        shutil.rmtree(made / "build")
        mark(made)
        if folder.exists():
            folder.rename(Path(work) / "before")
        made.rename(folder)


def mark(folder: Path) -> None:
    """Note what the copy in a folder is made of: its own sources, for the originals may have changed meanwhile."""
    (folder / _DIGEST).write_text(_digest(folder / PACKAGE.name), encoding="utf-8")


def lacking() -> str:
    """What this machine lacks to make a copy; empty: nothing."""
    if importlib.util.find_spec("mypyc") is None:
        return "mypyc is not installed: make setup"
    compiler = os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler.split()[0]) is None:
        return f"there is no C compiler ({compiler.split()[0]})"
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return "" if header.is_file() else "Python's own headers are not installed (python3-dev)"


def _digest(package: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for source in sorted(package.rglob("*.py")):
        digest.update(f"{source.relative_to(package)}\0".encode() + source.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """0: the copy is there and current. 3: it cannot be made here, which is no error: the exchange runs without."""
    parser = argparse.ArgumentParser(prog="python -m exchange.compiling", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the copy is to stand")
    folder = parser.parse_args().folder.resolve()
    if is_current(folder):
        typer.echo(f"{folder.name} is current")
        return 0
    if missing := lacking():
        typer.echo(f"Nothing is compiled, and everything works without: {missing}.", err=True)
        return 3
    typer.echo(f"Compiling {len(HOT)} modules: about a minute")
    try:
        make(folder)
    except subprocess.CalledProcessError as failed:
        said = [line for line in str(failed.stdout).splitlines() if "error" in line]
        typer.echo("\n".join(["it cannot be compiled:", *said]), err=True)
        return 1
    typer.echo(f"{folder.name} is made: serve it from there as you would from here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
