"""Writing a pack: files in a folder as they come, then one deterministic archive if a .zip is wanted."""

from __future__ import annotations

import csv
import errno
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import AsyncIterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from settlement.evidence import cells
from settlement.evidence.model import KIND, MANIFEST, SEAL, VERSION, Cell, Manifest, Stored

COPY_BYTES = 1 << 20


class TargetTaken(FileExistsError):
    """Something that is no pack is where the pack is to go."""


class _Sink:
    """A file that knows its digest and size while it is written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256, self.bytes = hashlib.sha256(), 0

    def write(self, text: str) -> None:
        """Add text; what csv.writer asks for."""
        self.add(text.encode())

    def add(self, content: bytes) -> None:
        """Add bytes."""
        self._stream.write(content)
        self.sha256.update(content)
        self.bytes += len(content)


class Folder:
    """A pack on its way to the disk. Memory does not grow with its tables."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stored: list[Stored] = []

    async def table(self, name: str, about: str, columns: Sequence[str], rows: AsyncIterable[Sequence[Cell]]) -> None:
        """Write a CSV table as RFC 4180 has it: UTF-8, CRLF, a heading, a line for each row."""
        with self._file(name) as sink:
            writer = csv.writer(sink, lineterminator="\r\n")
            writer.writerow(columns)
            lines = 0
            async for row in rows:
                writer.writerow([cells.written(cell) for cell in row])
                lines += 1
        self._note(name, about, sink, lines)

    def content(self, name: str, about: str, content: bytes) -> None:
        """Write a file whole."""
        with self._file(name) as sink:
            sink.add(content)
        self._note(name, about, sink, None)

    def seal(self, manifest: Manifest) -> str:
        """Write the manifest, and its digest beside it as `sha256sum -c` reads it; the digest."""
        content = manifest_bytes(manifest)
        fingerprint = hashlib.sha256(content).hexdigest()
        (self.root / MANIFEST).write_bytes(content)
        (self.root / SEAL).write_bytes(f"{fingerprint}  {MANIFEST}\n".encode())
        return fingerprint

    @contextmanager
    def _file(self, name: str) -> Iterator[_Sink]:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as stream:
            yield _Sink(stream)

    def _note(self, name: str, about: str, sink: _Sink, lines: int | None) -> None:
        self.stored.append(Stored(name, about, sink.sha256.hexdigest(), sink.bytes, lines))


def manifest_bytes(manifest: Manifest) -> bytes:
    """The one written form of a manifest."""
    return cells.document(
        {
            "pack": KIND,
            "version": VERSION,
            "window": f"windows/{manifest.window_no}",
            "run": manifest.run,
            "digest": manifest.digest,
            "state": manifest.state,
            "code": dict(manifest.code),
            "parts": [one._asdict() for one in manifest.parts],
        }
    )


@contextmanager
def put_in_place(target: Path) -> Iterator[Path]:
    """A folder to write a pack in; when the block ends well it takes the target's place, whole or not at all.

    Raises:
        TargetTaken: there is something at the target that is no pack.
    """
    _require_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target: a rename must not cross file systems.
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as made:
        folder = Path(made) / "pack"
        folder.mkdir()
        yield folder
        if target.suffix == ".zip":
            archive = Path(made) / "pack.zip"
            zip_folder(folder, archive)
            archive.replace(target)
            return
        if target.exists():
            target.rename(Path(made) / "before")
        folder.rename(target)


def _require_free(target: Path) -> None:
    if target.suffix == ".zip":
        taken = target.exists() and not zipfile.is_zipfile(target)
    else:
        taken = target.exists() and not (
            target.is_dir() and ((target / MANIFEST).is_file() or not any(target.iterdir()))
        )
    if taken:
        raise TargetTaken(errno.EEXIST, "is there already, and is no evidence pack: name another", str(target))


def zip_folder(folder: Path, archive: Path) -> None:
    """Put a folder into an archive whose bytes depend on nothing but names and contents.

    Stored, not compressed: what a compressor makes of the same bytes differs from machine to machine.
    """
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()):
            with (folder / name).open("rb") as stream:
                add_to(packed, name, stream, (folder / name).stat().st_size)


def add_to(packed: zipfile.ZipFile, name: str, stream: IO[bytes], size: int) -> None:
    """Add a file to an archive without anything of the machine it is made on."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr, entry.file_size = 3, 0o644 << 16, size
    with packed.open(entry, "w") as into:
        shutil.copyfileobj(stream, into, COPY_BYTES)


def same_bytes(left: Path, right: Path) -> int | None:
    """Where two files first differ; None: nowhere."""
    at = 0
    with left.open("rb") as one, right.open("rb") as other:
        while True:
            here, there = one.read(COPY_BYTES), other.read(COPY_BYTES)
            if here != there:
                length = min(len(here), len(there))
                return at + next((place for place in range(length) if here[place] != there[place]), length)
            if not here:
                return None
            at += len(here)
