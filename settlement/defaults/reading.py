"""Defaults as they stand: what is claimed of whom, read in the caller's transaction."""

from __future__ import annotations

from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.defaults import sql
from settlement.defaults.model import Claim, Stake
from settlement.funds.model import Purpose


async def claims(
    connection: AsyncConnection, participant: str | None = None, window_no: int | None = None
) -> list[Claim]:
    """What is or was claimed of defaulters, oldest default first; None: of all."""
    rows = await connection.execute(sql.STAKES, {"participant": participant, "window_no": window_no})
    found = []
    for (default_id, currency), group in groupby(rows, key=lambda row: (row.proposal_id, row.currency_code)):
        stakes = list(group)
        borne = [
            Stake(one.turn, one.participant, Purpose(one.purpose), one.borne, one.repaid, one.written_off)
            for one in stakes
        ]
        first = stakes[0]
        found.append(Claim(default_id, first.defaulter, first.window_no, currency, first.loss, sorted(borne)))
    return found
