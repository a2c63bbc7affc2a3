"""Defaults as they stand: what is claimed of whom, read in the caller's transaction."""

from __future__ import annotations

from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import ResourceNotFound
from settlement import exchange_directory
from settlement.defaults import sql
from settlement.defaults.model import Claim, DefaultRecovery, Stake
from settlement.defaults.write_off_model import DefaultWriteOff
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


async def declared_claim(
    connection: AsyncConnection, asked: DefaultRecovery | DefaultWriteOff, path: str
) -> Claim | None:
    """What is or was claimed, in the currency asked about, because of the default asked about; None: nothing was.

    Raises:
        ResourceNotFound: there is no such participant, or its default on the window was never declared; `path` leads to
            the fields that named them.
    """
    await exchange_directory.require_merchant(connection, asked.participant, f"{path}.participant")
    declared = await claims(connection, asked.participant, asked.window_no)
    if not declared:
        raise ResourceNotFound(resource=asked.default, field=f"{path}.window")
    return next((one for one in declared if one.currency == asked.currency), None)


async def defaulted_run(connection: AsyncConnection, participant: str, window_no: int) -> UUID:
    """The run a participant did not pay; its default on the window was declared."""
    key = {"participant": participant, "window_no": window_no}
    run_id: UUID = (await connection.execute(sql.DECLARED, key)).scalar_one()
    return run_id
