"""Answers that were given before, and transfers by name, as they stand in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.keys import KnownKeys, key_names, restored
from exchange.ledger.model import Command, Obligation, PointsLeg, Transfer
from exchange.ledger.retired import retired_seen_by
from exchange.refusals import Refusal


async def read_known_keys(connection: DriverConnection, commands: Sequence[Command]) -> KnownKeys:
    """The stored answers to any of the commands' keys; those whose transfers have left say that they have."""
    known = KnownKeys()
    rows = await connection.fetch(sql.KNOWN_KEYS, key_names(commands))
    transfers = await read_transfers(connection, [(row[3], row[4]) for row in rows if row["transfer_id"] is not None])
    retired = None
    for merchant_no, request_id, fingerprint, _, transfer_id, refusal in rows:
        answer: Transfer | Refusal | None = transfers.get(transfer_id) if refusal is None else restored(refusal)
        if answer is None:
            # It was done, and the row of it has left: there is no second effect, and no answer to show.
            retired = retired or await retired_seen_by(connection)
            assert retired is not None, f"transfer {transfer_id} is nowhere"
            answer = retired.refusal(f"transfers/{transfer_id}")
        known.remember((merchant_no, request_id), fingerprint, answer)
    return known


async def read_transfers(connection: DriverConnection, names: Sequence[tuple[int, UUID]]) -> dict[UUID, Transfer]:
    """Transfers by id, for names (bucket, id)."""
    if not names:
        return {}
    rows = await connection.fetch(sql.TRANSFERS_BY_ID, [bucket for bucket, _ in names], [name for _, name in names])
    return {row["transfer_id"]: transfer_of(row) for row in rows}


def transfer_of_columns(columns: tuple[Any, ...]) -> Transfer:
    """A transfer of its columns as the driver gives them."""
    legs, obligations = [PointsLeg(*leg) for leg in columns[11]], [Obligation(*owed) for owed in columns[12]]
    return Transfer._make((*columns[:11], legs, obligations, *columns[13:]))


def transfer_of(row: asyncpg.Record) -> Transfer:
    """A row of exchange.transfers, in the column order of `Transfer`."""
    return transfer_of_columns(tuple(row))
