"""The coalition's clock: the database's, shifted in a sandbox. No process decides by its own watch."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def coalition_now(connection: AsyncConnection) -> datetime:
    """What time it is for the coalition, in UTC."""
    now: datetime = (await connection.execute(text("SELECT exchange.coalition_now()"))).scalar_one()
    return now.astimezone(UTC)
