"""The frame of every change to directory or rates: alone behind the fence, logged, under a new version."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.directory import sql
from exchange.ledger.windows import ALONE


@contextlib.asynccontextmanager
async def change(
    database: Database, caller: Caller, action: str, subject: str, after: Mapping[str, object], reason: str = ""
) -> AsyncIterator[AsyncConnection]:
    """A transaction that no posting overlaps: when it has committed, every server process decides by the new version.

    Args:
        database: where.
        caller: who; stands in the audit log.
        action: the verb, "suspend merchant".
        subject: resource name.
        after: what it is now, for the log.
        reason: why, in the caller's words.
    """
    async with database.write() as connection, changing(connection, caller, action, subject, after, reason):
        yield connection


@contextlib.asynccontextmanager
async def changing(
    connection: AsyncConnection,
    caller: Caller,
    action: str,
    subject: str,
    after: Mapping[str, object],
    reason: str = "",
) -> AsyncIterator[None]:
    """The same for what is left of a transaction that has begun: posters stop when this is entered."""
    await connection.execute(ALONE)
    yield
    await connection.execute(sql.NEXT_VERSION)
    await log(connection, caller, action, subject, after, reason)


async def log(
    connection: AsyncConnection,
    caller: Caller,
    action: str,
    subject: str,
    after: Mapping[str, object],
    reason: str = "",
) -> None:
    """Note who did what; arguments as of `change`."""
    await connection.execute(
        sql.LOG,
        {
            "actor": f"{caller.role.name}:{caller.credential}",
            "action": action,
            "subject": subject,
            "reason": reason,
            "after": json.dumps(after, default=str, sort_keys=True),
        },
    )
