"""Reads every limit as of one version of the directory."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.quotas import PointsLimit
from exchange.limits import sql
from exchange.limits.model import Limits
from exchange.serving.quotas import CallQuota


async def read_limits(connection: AsyncConnection) -> Limits:
    """The limits as the connection's snapshot shows them."""
    capped = frozenset((row[0], row[1]) for row in await connection.execute(sql.CAPPED))
    points = {row[0]: PointsLimit(*row[1:]) for row in await connection.execute(sql.POINTS_LIMITS)}
    calls = {row[0]: CallQuota(*row[1:]) for row in await connection.execute(sql.CALL_QUOTAS)}
    return Limits(capped=capped, points=points, calls=calls)
