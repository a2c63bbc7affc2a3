"""Evidence packs for tests: one of a window that was paid in part, and ways to tamper with it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from settlement.evidence.checks.registry import CHECKS
from settlement.evidence.model import MANIFEST, SEAL, Difference
from settlement.evidence.reading import Pack
from tests.contract.paid import Treasury
from tests.servers import Server


class Packed(NamedTuple):
    """A pack as folder and as archive, with the world it is of."""

    folder: Path
    archive: Path
    server: Server
    treasury: Treasury


def a_copy(packed: Packed, into: Path) -> Path:
    """The pack's folder, to tamper with."""
    shutil.copytree(packed.folder, into / "copy")
    return into / "copy"


def flip(path: Path, at: int, bits: int = 1) -> None:
    """Change one byte."""
    content = bytearray(path.read_bytes())
    content[at] ^= bits
    path.write_bytes(content)


def seal_again(folder: Path) -> None:
    """Write manifest and seal anew, as somebody would who knows how."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for part in manifest["parts"]:
        content = (folder / part["name"]).read_bytes()
        part |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest_bytes = (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode()
    (folder / MANIFEST).write_bytes(manifest_bytes)
    (folder / SEAL).write_text(f"{hashlib.sha256(manifest_bytes).hexdigest()}  {MANIFEST}\n")


def leave_out(folder: Path, names: Sequence[str], *, by_another_program: bool) -> None:
    """Take parts out of a pack and its manifest; `by_another_program`: as one that did not compute as this one does."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["parts"] = [part for part in manifest["parts"] if part["name"] not in names]
    if by_another_program:
        manifest["code"]["sources"] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    for name in names:
        (folder / name).unlink()
    seal_again(folder)


def change_cell(folder: Path, part: str, line: int, column: str, change: Callable[[str], str]) -> None:
    """Put another value into a table, and seal it again."""
    path = folder / part
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    place = rows[0].index(column)
    rows[line - 1][place] = change(rows[line - 1][place])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    seal_again(folder)


def change_document(folder: Path, part: str, change: Callable[[Any], None]) -> None:
    """Change a JSON document, and seal it again."""
    path = folder / part
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    seal_again(folder)


def files_differ(path: Path) -> list[Difference]:
    """What the check of files alone says: the quick part of a verification."""
    from settlement.evidence.model import Damaged

    try:
        pack = Pack(path)
    except Damaged as damaged:
        return [damaged.difference]
    try:
        return list(CHECKS["files"](pack))
    except Damaged as damaged:
        return [damaged.difference]
    finally:
        pack.close()
