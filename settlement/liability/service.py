"""Use cases of the points liability: sum what moved, once for each closed window, and roll it forward."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement import exchange_ledger
from settlement.liability import sql
from settlement.liability.model import Holding, Movement, Owner, Roll
from settlement.liability.rules import roll_forward


class Liability:
    """Points outstanding, by issuer and funder."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def roll(self, first: int, last: int) -> list[Roll]:
        """Roll the liability forward over closed windows, both ends included.

        Raises:
            ResourceNotFound: there is no such window.
            WindowState: the last one is still open.
        """
        movements, now = await self._movements(last)
        return roll_forward(
            before=[one for one in movements if one.window_no < first],
            within=[one for one in movements if first <= one.window_no <= last],
            after=[one for one in movements if one.window_no > last],
            now=now,
        )

    async def movements(self, last: int) -> list[Movement]:
        """Every movement of the closed windows up to `last`.

        Raises:
            ResourceNotFound, WindowState: as of `roll`.
        """
        movements, _ = await self._movements(last)
        return [one for one in movements if one.window_no <= last]

    async def _movements(self, last: int) -> tuple[list[Movement], list[Holding]]:
        """All there are, and what lies in the lots, as one snapshot has them."""
        async with self._database.write() as connection:
            await exchange_ledger.require_closed(connection, last, "window")
            await connection.execute(sql.TAKE_TURNS)
            missing = list((await connection.execute(sql.NOT_SUMMED)).scalars())
            if missing:
                await connection.execute(sql.MARK, {"windows": missing})
                await connection.execute(sql.KEEP, {"windows": missing})
        async with self._database.read() as connection:
            return await _all(connection), [_holding(row) for row in await connection.execute(sql.OUTSTANDING)]


async def _all(connection: AsyncConnection) -> list[Movement]:
    after = (await connection.execute(sql.LAST_KEPT)).scalar_one()
    kept = await connection.execute(sql.KEPT)
    live = await connection.execute(sql.LIVE, {"after": after})
    return [_movement(row) for row in (*kept, *live)]


def _movement(row: Row[Any]) -> Movement:
    return Movement(
        window_no=row.window_no,
        owner=Owner(row.currency, row.issuer, row.funder),
        money=row.money,
        kind=exchange_ledger.transfer_kind_name(row.kind),
        added=int(row.added),
        removed=int(row.removed),
        added_micros=int(row.added_micros),
        removed_micros=int(row.removed_micros),
    )


def _holding(row: Row[Any]) -> Holding:
    return Holding(Owner(row.currency, row.issuer, row.funder), int(row.units), int(row.micros))
