"""What happened besides movements, noted for whoever watches: one row an event, in the transaction that makes it true.

Movements need no row: the transfers are their own log. Both have a place in one order, the ledger sequence, because
whoever writes either holds the fence when it draws its block (see `exchange.events.frontier`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.event_kinds import EventKind
from exchange.ledger.sql import BLOCK_UNITS, FENCE


class Note(NamedTuple):
    """An event to be told.

    Attributes:
        resource: name of what it happens to, "windows/12".
        audience: numbers of the merchants that may see it; None: everybody who may see the kind.
        detail: what the resource's own name does not tell; text, whole numbers and maps of them.
    """

    resource: str
    audience: Sequence[int] | None = None
    detail: Mapping[str, object] | None = None


# Whoever holds the fence alone already may share it with itself; the others take it here, before they draw.
SHARE_FENCE = text(f"SELECT pg_advisory_xact_lock_shared({FENCE})")

# One block for all of them, in the order given.
NOTE = text(f"""
WITH drawn AS MATERIALIZED (SELECT nextval('exchange.ledger_blocks') * {BLOCK_UNITS} AS first)
INSERT INTO exchange.events (sequence, kind, occurred_at, resource, audience, detail)
SELECT drawn.first + n.place - 1, :kind, exchange.coalition_now(), n.resource, CAST(n.audience AS integer[]),
       CAST(n.detail AS jsonb)
FROM drawn, unnest(CAST(:resources AS text[]), CAST(:audiences AS text[]), CAST(:details AS text[]))
    WITH ORDINALITY AS n (resource, audience, detail, place)
""")


async def note(connection: AsyncConnection, kind: EventKind, resource: str) -> None:
    """Make an event of what the caller's transaction does, told to everybody who may see the kind; see `note_all`."""
    await note_all(connection, kind, [Note(resource)])


async def note_all(connection: AsyncConnection, kind: EventKind, notes: Sequence[Note]) -> None:
    """Make events of what the caller's transaction does; they are told when that has committed, or never.

    Takes the fence shared until the transaction ends: note last, and lock nothing afterwards.

    Args:
        connection: a write transaction.
        kind: what happens.
        notes: at most `BLOCK_UNITS`, in the order in which they are to be told.
    """
    assert len(notes) <= BLOCK_UNITS
    await connection.execute(SHARE_FENCE)
    values = {
        "kind": kind,
        "resources": [one.resource for one in notes],
        "audiences": [None if one.audience is None else _array(one.audience) for one in notes],
        "details": [None if one.detail is None else json.dumps(one.detail) for one in notes],
    }
    await connection.execute(NOTE, values)


def _array(numbers: Sequence[int]) -> str:
    """As PostgreSQL writes an array."""
    return "{" + ",".join(map(str, numbers)) + "}"
