"""Reading a pack, from a folder or an archive: line by line, and whatever is wrong says where it is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from settlement.evidence import cells
from settlement.evidence.model import KIND, MANIFEST, SEAL, VERSION, Damaged, Difference, Manifest, Stored
from settlement.evidence.writing import COPY_BYTES, add_to, manifest_bytes, same_bytes

T = TypeVar("T")
# Whatever a damaged archive makes the standard library raise.
BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, struct.error, KeyError)


class Row:
    """A line of a table; a cell that is not what it must be raises Damaged."""

    def __init__(self, part: str, line: int, values: dict[str, str]) -> None:
        self.part, self.line, self._values = part, line, values

    def text(self, column: str) -> str:
        """A cell's text."""
        return self.as_(column, str)

    def whole(self, column: str) -> int:
        """A cell's whole number."""
        return self.as_(column, int)

    def as_(self, column: str, kind: Callable[[str], T]) -> T:
        """A cell as something else."""
        value = cells.read(self._values.get(column, ""))
        try:
            return kind(value)
        except ValueError:
            raise Damaged(self.differs(column, value, f"a {getattr(kind, '__name__', 'value')}")) from None

    def cells(self) -> dict[str, str]:
        """All of it, by column."""
        return {name: cells.read(value) for name, value in self._values.items()}

    def differs(self, column: str, found: object, expected: object) -> Difference:
        """A difference in this line."""
        return Difference(self.part, self.line, column, str(found), str(expected))


class Pack:
    """A pack that was opened. Parts are read from the start as often as they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive: zipfile.ZipFile | None = None
        if path.is_file():
            try:
                self._archive = zipfile.ZipFile(path)
            except BROKEN as broken:
                raise Damaged(Difference(path.name, 0, "archive", str(broken), "a readable archive")) from broken

    def close(self) -> None:
        """Let go of the archive."""
        if self._archive is not None:
            self._archive.close()

    def names(self) -> list[str]:
        """Every file there is."""
        if self._archive is not None:
            return self._archive.namelist()
        return sorted(path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file())

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """A file's bytes; what is wrong with the file itself raises Damaged, also while it is read."""
        # Packs are stored: what is compressed is no pack of ours, and could unfold to any size.
        if self._archive is not None and self._is_compressed(self._archive, name):
            raise Damaged(Difference(name, 0, "archive", "compressed", "stored"))
        try:
            stream: IO[bytes] = self._archive.open(name) if self._archive is not None else (self.path / name).open("rb")
            with stream:
                yield stream
        except FileNotFoundError:
            raise Damaged(Difference(name, 0, "", "missing", "there")) from None
        except BROKEN as broken:
            raise Damaged(Difference(name, 0, "file", str(broken) or "broken off", "a readable file")) from broken

    @staticmethod
    def _is_compressed(archive: zipfile.ZipFile, name: str) -> bool:
        return any(e.filename == name and e.compress_type != zipfile.ZIP_STORED for e in archive.infolist())

    def content(self, name: str) -> bytes:
        """A file whole."""
        with self.opened(name) as stream:
            return stream.read()

    def document(self, name: str) -> Any:
        """A JSON document."""
        content = self.content(name)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as wrong:
            raise Damaged(Difference(name, 0, "document", str(wrong), "a JSON document")) from None

    def rows(self, name: str) -> Iterator[Row]:
        """A table line by line."""
        with self.opened(name) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
            reader = csv.reader(text, strict=True)
            try:
                columns = next(reader, [])
                for values in reader:
                    if len(values) != len(columns):
                        shape = f"{len(columns)} cells"
                        raise Damaged(Difference(name, reader.line_num, "", f"{len(values)} cells", shape))
                    yield Row(name, reader.line_num, dict(zip(columns, values, strict=True)))
            except (csv.Error, UnicodeDecodeError) as wrong:
                raise Damaged(Difference(name, reader.line_num, "", str(wrong), "readable CSV")) from None

    def stored(self, name: str) -> tuple[str, int]:
        """A file's SHA-256 and size as it is now."""
        sha256, size = hashlib.sha256(), 0
        with self.opened(name) as stream:
            while piece := stream.read(COPY_BYTES):
                sha256.update(piece)
                size += len(piece)
        return sha256.hexdigest(), size

    def manifest(self) -> tuple[Manifest, str]:
        """What it says of itself, and the fingerprint; raises Damaged where it is not as it was written."""
        content, seal = self.content(MANIFEST), self.content(SEAL)
        fingerprint = hashlib.sha256(content).hexdigest()
        expected = f"{fingerprint}  {MANIFEST}\n".encode()
        if seal != expected:
            told = seal[:64].decode("ascii", "replace")
            raise Damaged(Difference(MANIFEST, 0, "sha256", fingerprint, f"{told}, as {SEAL} says"))
        plain = self.document(MANIFEST)
        try:
            manifest = _manifest(plain)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise Damaged(Difference(MANIFEST, 0, "document", repr(wrong), "a manifest")) from None
        if manifest_bytes(manifest) != content:
            raise Damaged(Difference(MANIFEST, 0, "document", "other bytes", "as evidence writes it"))
        return manifest, fingerprint

    def container(self) -> Iterator[Difference]:
        """What is not part of any file: an archive must be to the byte as it is written from its files."""
        if self._archive is None:
            return
        with tempfile.TemporaryDirectory(prefix="evidence-") as made:
            again = Path(made) / "again.zip"
            with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as packed:
                for name in sorted(self.names()):
                    with self.opened(name) as stream:
                        add_to(packed, name, stream, self._archive.getinfo(name).file_size)
            at = same_bytes(self.path, again)
        if at is not None:
            near = max((e for e in self._archive.infolist() if e.header_offset <= at), key=lambda e: e.header_offset)
            figure = f"byte {at} (at or after {near.filename})"
            yield Difference(self.path.name, 0, figure, "another byte", "the archive written from its files")


def _manifest(plain: Any) -> Manifest:
    if (plain["pack"], plain["version"]) != (KIND, VERSION):
        raise ValueError(f"{plain['pack']} {plain['version']}")
    return Manifest(
        window_no=int(plain["window"].removeprefix("windows/")),
        run=plain["run"],
        digest=plain["digest"],
        state=plain["state"],
        code=plain["code"],
        parts=[Stored(**one) for one in plain["parts"]],
    )
