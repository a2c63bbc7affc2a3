"""Reads every promotion as of one version of the directory."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.promotions import sql
from exchange.promotions.model import Promotion, PromotionKind, Promotions, Sponsor


async def read_promotions(connection: AsyncConnection) -> Promotions:
    """The promotions as the connection's snapshot shows them."""
    sponsors: dict[int, list[Sponsor]] = {}
    for number, *sponsor in await connection.execute(sql.SPONSORS):
        sponsors.setdefault(number, []).append(Sponsor(*sponsor))
    return Promotions.of(
        Promotion._make((*row[:2], PromotionKind(row[2]), *row[3:], sponsors.get(row[0], ())))
        for row in await connection.execute(sql.PROMOTIONS)
    )
