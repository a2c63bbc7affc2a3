"""Events for whoever stands downstream of the ledger: told to merchants by id."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.event_kinds import EventKind
from exchange.ledger.outbox import Note, note_all
from exchange.ledger.sql import BLOCK_UNITS

NUMBERS = text("SELECT merchant_id, merchant_no FROM exchange.merchants WHERE merchant_id = ANY(:ids)")


class Happening(NamedTuple):
    """An event: what it happens to, the merchants it is told to, and what else the event says."""

    resource: str
    participants: Collection[str]
    detail: Mapping[str, object]


async def tell(connection: AsyncConnection, kind: EventKind, happenings: Sequence[Happening]) -> None:
    """Make events of what the caller's transaction does, in this order; lock no row afterwards.

    Before discharges, never after them: whoever counts caps takes the ledger's fence first.
    """
    names = sorted({name for one in happenings for name in one.participants})
    numbers = {row.merchant_id: row.merchant_no for row in await connection.execute(NUMBERS, {"ids": names})}
    notes = [Note(one.resource, sorted(numbers[name] for name in one.participants), one.detail) for one in happenings]
    for first in range(0, len(notes), BLOCK_UNITS):
        await note_all(connection, kind, notes[first : first + BLOCK_UNITS])
