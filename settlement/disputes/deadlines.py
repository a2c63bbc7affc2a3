"""Ending disputes that end by themselves: a deadline passed unused, or reversals left nothing to win.

Each is one transaction that looks again, so several processes may be at it at once, and one may die at any point.
"""

from __future__ import annotations

from uuid import UUID

from exchange.db.engine import Database
from settlement import exchange_directory
from settlement.actors import Actor
from settlement.disputes import rules, sql
from settlement.disputes.ending import end
from settlement.disputes.reading import read_dispute, standing_of
from settlement.run.steps import take_turns


class Deadlines:
    """Looks at the disputes that wait."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self._database, self._actor = database, actor

    async def look(self) -> tuple[str, ...]:
        """End what is due; the names of the disputes that were ended, in the order they were opened."""
        async with self._database.read() as connection:
            found = list((await connection.execute(sql.MAY_END)).scalars())
        return tuple([f"disputes/{dispute_id}" for dispute_id in found if await self._end(dispute_id)])

    async def _end(self, dispute_id: UUID) -> bool:
        async with self._database.write() as connection:
            await take_turns(connection)
            dispute = await read_dispute(connection, dispute_id)
            now = (await exchange_directory.coalition(connection)).now
            how = rules.end_now(dispute, now, await standing_of(connection, dispute.obligation))
            if how is None:
                return False
            await end(connection, dispute, how, self._actor, "")
            return True
