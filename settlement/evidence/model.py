"""What a pack is made of, and what can be wrong with it. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias
from uuid import UUID

MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
KIND = "settlement-evidence"
VERSION = 1

Cell: TypeAlias = "str | int | bool | Decimal | date | datetime | UUID | None"


class Stored(NamedTuple):
    """A file of a pack as the manifest names it; `lines` of a table without its heading, None of other files."""

    name: str
    about: str
    sha256: str
    bytes: int
    lines: int | None


class Difference(NamedTuple):
    """Where a pack is not what it must be.

    Attributes:
        part: the file, "pairs.csv".
        line: the line of the file, its heading is line 1; 0: the file as a whole.
        figure: the column or the path in the document; empty: all of it.
        found: what stands there.
        expected: what must stand there.
    """

    part: str
    line: int
    figure: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = ", ".join([self.part, *([f"line {self.line}"] if self.line else []), *filter(None, [self.figure])])
        return f"{where}: {self.found}, not {self.expected}"


class Damaged(Exception):
    """A file of a pack cannot be read as what it is; `difference` says where."""

    def __init__(self, difference: Difference) -> None:
        self.difference = difference
        super().__init__(str(difference))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says of itself.

    Attributes:
        window_no: whose evidence it is.
        run: the run it is of, "runs/…".
        digest: SHA-256 of that run's canonical result.
        state: how far the run was.
        code: version and digest of the program that wrote it.
        parts: every file but the manifest and its seal, by name.
    """

    window_no: int
    run: str
    digest: str
    state: str
    code: Mapping[str, str]
    parts: Sequence[Stored]


class Written(NamedTuple):
    """A pack that was written; `fingerprint` is the SHA-256 of its manifest: who has it, has all of it."""

    path: str
    fingerprint: str
    manifest: Manifest


class Verified(NamedTuple):
    """What became of looking at a pack.

    Attributes:
        fingerprint: SHA-256 of its manifest as it stands.
        window: "windows/3"; empty where the manifest cannot be read.
        digest: of the result, as the manifest says.
        checks: the names of what was computed again.
        differences: the first of them; none: identical.
        more: whether there are more than are told.
        later: what the database knows since, which the pack could not: that is no difference.
        notes: what an auditor should know besides.
    """

    fingerprint: str
    window: str
    digest: str
    checks: Sequence[str]
    differences: Sequence[Difference]
    more: bool
    later: Sequence[str]
    notes: Sequence[str]
