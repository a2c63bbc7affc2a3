"""The files that keep transfers that have left: lines of JSON, a file for some buckets, and a manifest with digests.

A folder is written under a name of its own and renamed when it is whole, so that one under its right name is never half
of one. A line is what PostgreSQL makes of the row; the checkpoint has the digest of each bucket's lines.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1
MANIFEST = "manifest.json"


class ArchiveDiffers(Exception):
    """An archive is not what was put away. The text names the file, and what of it differs."""


class Lines(NamedTuple):
    """What a file holds of a bucket: how many lines, their SHA-256, and the lines themselves."""

    bucket: int
    digest: bytes
    lines: list[str]


class Writer:
    """Writes one archive.

    Args:
        folder: where it is to be; its parent must be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._draft = folder, folder.with_name(folder.name + ".being-written")
        self._files: dict[str, dict[str, Any]] = {}
        # What a run that was interrupted left behind, or an archive whose retirement was not noted yet.
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(mode=0o750)

    async def write(self, part: int, lines: AsyncIterator[str]) -> None:
        """Add the file of some buckets, in the order of bucket and id; none for no lines."""
        path, count = self._draft / f"{part:02}.jsonl.gz", 0
        with path.open("wb") as raw:
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as file:
                async for line in lines:
                    file.write(line.encode() + b"\n")
                    count += 1
            raw.flush()
            os.fsync(raw.fileno())
        if count:
            self._files[path.name] = {"transfers": count, "sha256": _sha256(path)}
        else:
            path.unlink()

    def finish(self, about: dict[str, Any]) -> bytes:
        """Write the manifest, make the whole durable under its name, and answer the manifest's SHA-256.

        Args:
            about: what the archive is of, besides its files.
        """
        manifest = json.dumps({"format": FORMAT, **about, "files": self._files}, indent=1, sort_keys=True).encode()
        with (self._draft / MANIFEST).open("wb") as file:
            file.write(manifest)
            file.flush()
            os.fsync(file.fileno())
        _sync(self._draft)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._draft.rename(self._folder)
        _sync(self._folder.parent)
        return hashlib.sha256(manifest).digest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path, digest: bytes | None = None) -> dict[str, Any]:
    """An archive's manifest.

    Args:
        folder: the archive.
        digest: SHA-256 it must have; None: any.

    Raises:
        ArchiveDiffers: it is missing, unreadable or another one.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        manifest = json.loads(content)
    except (OSError, ValueError) as error:
        raise ArchiveDiffers(f"{path}: cannot be read: {error}") from None
    if digest is not None and hashlib.sha256(content).digest() != digest:
        raise ArchiveDiffers(f"{path}: is not the manifest that was written")
    if manifest.get("format") != FORMAT:
        raise ArchiveDiffers(f"{path}: is of format {manifest.get('format')}, not {FORMAT}")
    loaded: dict[str, Any] = manifest
    return loaded


def require_free(folder: Path, checkpoint_digest: bytes) -> None:
    """Nothing is where an archive is to be, but for one of the same checkpoint, which is written anew.

    Partitions of other ledgers have the same names: what left those must not be lost for this one.

    Raises:
        ArchiveDiffers: something else is there.
    """
    if folder.exists() and read_manifest(folder).get("checkpoint_digest") != checkpoint_digest.hex():
        raise ArchiveDiffers(f"{folder}: is another archive, which stays; choose another folder")


def require_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Every file is there as it was written, and no other.

    Raises:
        ArchiveDiffers: names the first that is not.
    """
    there = {path.name for path in folder.iterdir()} - {MANIFEST}
    for name in sorted(there ^ manifest["files"].keys()):
        raise ArchiveDiffers(f"{folder / name}: {'is no part of the archive' if name in there else 'is missing'}")
    for name, file in sorted(manifest["files"].items()):
        if _sha256(folder / name) != file["sha256"]:
            raise ArchiveDiffers(f"{folder / name}: is not the file that was written")


def buckets_of(folder: Path, part: int) -> Iterator[Lines]:
    """The lines of a file by bucket, one bucket in memory at a time.

    Raises:
        ArchiveDiffers: it cannot be read.
    """
    path = folder / f"{part:02}.jsonl.gz"
    if not path.exists():
        return
    bucket, lines = -1, list[str]()
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for raw in file:
                line = raw.removesuffix("\n")
                number = int(json.loads(line)["bucket"])
                if number != bucket and lines:
                    yield _together(bucket, lines)
                    lines = []
                bucket = number
                lines.append(line)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ArchiveDiffers(f"{path}: cannot be read: {error!r}") from None
    if lines:
        yield _together(bucket, lines)


def _together(bucket: int, lines: list[str]) -> Lines:
    return Lines(bucket, hashlib.sha256("\n".join(lines).encode()).digest(), lines)
