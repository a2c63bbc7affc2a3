"""Whether an archive is what left the ledger: its files, its lines bucket by bucket, and what they come to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.retention import sql
from exchange.retention.archive import ArchiveDiffers, buckets_of, read_manifest, require_files
from exchange.retention.checkpoint_sql import BUCKETS_OF_PART, PARTS
from exchange.retention.model import Retirement
from exchange.retention.sums import Sums, first_difference


async def verify(database: Database, retirement: Retirement, folder: Path, digest: bytes | None) -> int:
    """Read an archive and hold it against the checkpoint; how many transfers it has.

    Args:
        database: that has the checkpoint.
        retirement: of what it is the archive.
        folder: the archive.
        digest: SHA-256 of its manifest; None: of one that is not noted yet.

    Raises:
        ArchiveDiffers: names the file, and what of it is not what left.
    """
    manifest = read_manifest(folder, digest)
    if manifest["checkpoint_digest"] != (retirement.digest or b"").hex():
        raise ArchiveDiffers(f"{folder}: belongs to another checkpoint than {retirement.part_name}'s")
    require_files(folder, manifest)
    total, whole = 0, Sums()
    async with database.read() as connection:
        for part in range(PARTS):
            total += await _verify_part(connection, retirement, folder, part, whole)
        await _verify_whole(connection, retirement, folder, whole)
    if total != retirement.transfers:
        raise ArchiveDiffers(f"{folder}: holds {total} transfers, not {retirement.transfers}")
    return total


async def _verify_part(
    connection: AsyncConnection, retirement: Retirement, folder: Path, part: int, whole: Sums
) -> int:
    """The lines of one file; what they leave owing and in circulation is added to the whole."""
    path = folder / f"{part:02}.jsonl.gz"
    values = {
        "number": retirement.number,
        "first": part * BUCKETS_OF_PART,
        "last": (part + 1) * BUCKETS_OF_PART - 1,
    }
    rows = await connection.execute(sql.BUCKETS, values)
    kept: dict[int, tuple[int, bytes]] = {bucket: (transfers, rows_digest) for bucket, transfers, rows_digest in rows}
    sums, total = Sums(), 0
    sums.pairs, sums.currencies = whole.pairs, whole.currencies
    for found in buckets_of(folder, part):
        if kept.pop(found.bucket, None) != (len(found.lines), found.digest):
            raise ArchiveDiffers(f"{path}: the lines of bucket {found.bucket} are not those that left")
        for line in found.lines:
            transfer: dict[str, Any] = json.loads(line)
            sums.add(transfer)
        total += len(found.lines)
    if kept:
        raise ArchiveDiffers(f"{path}: bucket {min(kept)} is missing")
    accounts = {(str(row[0]), row[1]): _figures(row[2:]) for row in await connection.execute(sql.ACCOUNTS, values)}
    lots = {str(row[0]): _figures(row[1:]) for row in await connection.execute(sql.LOTS, values)}
    _agree(path, first_difference("account", sums.accounts, accounts))
    _agree(path, first_difference("lot", sums.lots, lots, skip_nothing=True))
    return total


async def _verify_whole(connection: AsyncConnection, retirement: Retirement, folder: Path, whole: Sums) -> None:
    number = {"number": retirement.number}
    pairs = {tuple(row[:5]): _figures(row[5:]) for row in await connection.execute(sql.PAIRS, number)}
    currencies = {row[0]: _figures(row[1:]) for row in await connection.execute(sql.CURRENCIES, number)}
    _agree(folder, first_difference("window, debtor, creditor, currency, kind", whole.pairs, pairs))
    _agree(folder, first_difference("currency", whole.currencies, currencies))


def _figures(columns: Any) -> tuple[int, ...]:
    """The database's exact numbers as ours."""
    return tuple(int(column) for column in columns)


def _agree(where: Path, difference: str | None) -> None:
    if difference is not None:
        raise ArchiveDiffers(f"{where}: {difference}")
