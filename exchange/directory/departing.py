"""Merchants that leave for good: whoever clears certifies it, in its own transaction."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.directory import sql
from exchange.directory.change import changing


@contextlib.asynccontextmanager
async def departing(connection: AsyncConnection, caller: Caller, merchant_id: str, reason: str) -> AsyncIterator[None]:
    """Note that a merchant has left, if the block ends well, in a transaction that has begun.

    Posters stop when this is entered, until the transaction ends: what the block looks at stays as it is.

    Args:
        connection: of that transaction.
        caller: who; stands in the audit log.
        merchant_id: who leaves; there, suspended, and not the operator.
        reason: why, for the log.
    """
    async with changing(connection, caller, "let leave", f"merchants/{merchant_id}", {"has_left": True}, reason):
        yield
        await connection.execute(sql.DEPART, {"merchant_id": merchant_id})
