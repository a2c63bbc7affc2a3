"""Which program writes or verifies a pack: its version, and a digest of the sources that compute."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import settlement

COMPUTING = ("netting", "run", "recount", "payments", "fx", "evidence")
"""Rooms whose sources decide what comes out, and what a pack holds."""


@cache
def code() -> dict[str, str]:
    """Version of the package, and SHA-256 over names and contents of the computing rooms."""
    root = Path(settlement.__file__).parent
    sources = hashlib.sha256()
    for path in sorted(path for room in COMPUTING for path in (root / room).rglob("*.py")):
        sources.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    try:
        number = version("points-exchange")
    except PackageNotFoundError:
        number = "not installed"
    return {"version": number, "sources": sources.hexdigest()}
