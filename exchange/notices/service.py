"""Making notices: safe to run twice and at once, and to be killed in the middle.

Two steps. What is to be told is written down once for each mark and day, under a lock on the mark; then it is made into
events, a few hundred at a time, each taken and made in one transaction. So a day on which a million lots end holds the
ledger's fence for moments only, and each notice is made exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from exchange.db.engine import Database
from exchange.events.frontier import Frontier
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.outbox import Note, note_all
from exchange.notices import sql
from exchange.notices.rules import MARKS, span_to_notice

AT_ONCE = 500


class Notices:
    """Tells of points that are about to end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Make every notice that is due and not made; how many. `progress` hears counts."""
        for days in MARKS:
            await self._plan(days)
        total = 0
        while made := await self._make():
            total += made
            progress(made)
        return total

    async def _plan(self, days: int) -> None:
        async with self._database.look() as connection:
            today = (await connection.execute(sql.TODAY)).scalar_one()
        frontier = Frontier()
        await frontier.settle(self._database)
        if not frontier.is_settled:
            # A posting that began before the day may still bring a lot: the next run will see.
            return
        async with self._database.write() as connection:
            noticed_through = (await connection.execute(sql.LOCK_MARK, {"days": days})).scalar_one()
            if (await connection.execute(sql.TODAY)).scalar_one() != today:
                return
            span = span_to_notice(days, today, noticed_through)
            if span is not None:
                await connection.execute(sql.PLAN, {"days": days, **span._asdict()})
                await connection.execute(sql.SET_MARK, {"days": days, "through": span.last})

    async def _make(self) -> int:
        async with self._database.write() as connection:
            taken = (await connection.execute(sql.TAKE, {"limit": AT_ONCE})).all()
            if taken:
                await note_all(connection, EventKind.POINTS_EXPIRING, _notes(taken))
            return len(taken)


def _notes(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Note]:
    """Told to whoever has linked the member, and to the issuer."""
    return [_note(*row) for row in rows]


def _note(
    days: int, member_id: UUID, code: str, issuer_no: int, units: int, ends_at: datetime, links: dict[str, str]
) -> Note:
    return Note(
        resource=f"currencies/{code}",
        audience=sorted({issuer_no, *map(int, links)}),
        detail={
            "member": str(member_id),
            "links": links,
            "currency": code,
            "units": int(units),
            "ends_at": ends_at.isoformat(),
            "days": days,
        },
    )
