"""What disputes and adjustments make of a window: an input of its run."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.disputes import sql
from settlement.disputes.reading import adjustment_of
from settlement.run.model import Adjusted, Disputed, HeldOut


async def disputed(connection: AsyncConnection, window_no: int) -> Disputed:
    """Of a closed window; while it has a run that stands it does not change, the database sees to it."""
    window = {"window_no": window_no}
    held_out = [HeldOut(str(row[0]), *row[1:]) for row in await connection.execute(sql.HELD_OUT, window)]
    released = [str(dispute_id) for dispute_id in (await connection.execute(sql.RELEASED, window)).scalars()]
    adjustments = [adjustment_of(row) for row in await connection.execute(sql.ADJUSTMENTS_OF_WINDOW, window)]
    return Disputed(
        tuple(held_out),
        tuple(released),
        tuple(
            Adjusted(
                adjustment=str(one.adjustment_id),
                debtor=one.debtor,
                creditor=one.creditor,
                currency=one.currency,
                amount=one.minor_units,
                cause=one.cause.lower(),
                dispute=str(one.dispute_id or ""),
                transfer=str(one.transfer_id or ""),
            )
            for one in adjustments
        ),
    )
