"""The first rows of a coalition: operator, time zone and first window. Done once, by the database's owner."""

from __future__ import annotations

import secrets
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from exchange.db.engine import Database
from exchange.directory import sql
from exchange.ledger.windows import ALONE

PAGE_SECRET_BYTES = 32
DEFAULT_OPERATOR = "OPR"
DEFAULT_TIME_ZONE = "Asia/Shanghai"


class SetUpRefused(Exception):
    """The coalition cannot be set up so. The text says why."""


async def set_up(database: Database, operator: str | None, time_zone: str | None) -> str:
    """Make the coalition if there is none; answer the operator's id.

    Args:
        database: opened as the owner.
        operator: its id; None: `DEFAULT_OPERATOR` for a new coalition, whatever it is for one there is.
        time_zone: IANA name; None: likewise.

    Raises:
        SetUpRefused: it has another operator already, or there is no such time zone.
    """
    time_zone = time_zone or DEFAULT_TIME_ZONE
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SetUpRefused(f"there is no time zone {time_zone!r}: give an IANA name such as Asia/Shanghai") from None
    async with database.write() as connection:
        await connection.execute(ALONE)
        present: str | None = (await connection.execute(sql.IS_SET_UP)).scalar()
        if present is not None:
            if operator not in {None, present}:
                raise SetUpRefused(f"the coalition's operator is {present} already, not {operator}")
            return present
        operator = operator or DEFAULT_OPERATOR
        await connection.execute(sql.FIRST_OPERATOR, {"operator": operator})
        secret = secrets.token_bytes(PAGE_SECRET_BYTES)
        await connection.execute(sql.SET_UP, {"operator": operator, "time_zone": time_zone, "page_secret": secret})
        await connection.execute(sql.FIRST_WINDOW)
        return operator
