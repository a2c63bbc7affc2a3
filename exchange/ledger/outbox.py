"""What happened besides movements, noted for whoever watches: one row an event, in the transaction that makes it true.

Movements need no row: the transfers are their own log. Both have a place in one order, the ledger sequence, because
whoever writes either holds the fence when it draws its block (see `exchange.events.frontier`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.event_kinds import EventKind
from exchange.ledger.sql import BLOCK_UNITS, FENCE

# Whoever holds the fence alone already may share it with itself; the others take it here, before they draw.
SHARE_FENCE = text(f"SELECT pg_advisory_xact_lock_shared({FENCE})")

NOTE = text(f"""
INSERT INTO exchange.events (sequence, kind, occurred_at, resource, audience, detail)
VALUES (nextval('exchange.ledger_blocks') * {BLOCK_UNITS}, :kind, exchange.coalition_now(), :resource,
        CAST(:audience AS integer[]), CAST(:detail AS jsonb))
""")


async def note(
    connection: AsyncConnection,
    kind: EventKind,
    resource: str,
    *,
    audience: Sequence[int] | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Make an event of what the caller's transaction does; it is told when that has committed, or never.

    Takes the fence shared until the transaction ends: note last, and lock nothing afterwards.

    Args:
        connection: a write transaction.
        kind: what happens.
        resource: name of what it happens to, "windows/12".
        audience: numbers of the merchants that may see it; None: everybody who may see the kind.
        detail: what the resource's own name does not tell; text and whole numbers.
    """
    await connection.execute(SHARE_FENCE)
    values = {
        "kind": kind,
        "resource": resource,
        "audience": None if audience is None else list(audience),
        "detail": None if detail is None else json.dumps(detail),
    }
    await connection.execute(NOTE, values)
