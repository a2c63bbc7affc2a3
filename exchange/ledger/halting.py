"""The ledger halted because something is wrong, and resumed: no server takes movements in between."""

from __future__ import annotations

from sqlalchemy import text

from exchange.db.engine import Database
from exchange.ledger.windows import ALONE

HALT = text("UPDATE exchange.coalition SET halted_at = exchange.coalition_now() WHERE halted_at IS NULL")
RESUME = text("UPDATE exchange.coalition SET halted_at = NULL")


async def halt(database: Database, *, halted: bool) -> None:
    """Stop taking movements because something is wrong, or take them again once it was mended.

    Behind the fence: when this returns, whatever was under way has been written, and nothing follows it.
    """
    async with database.write() as connection:
        await connection.execute(ALONE)
        await connection.execute(HALT if halted else RESUME)
