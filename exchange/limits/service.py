"""Use cases of limits: set, read. Changes are one transaction each, alone behind the fence.

What one person may do of a net debit cap is here; what takes two stands in `exchange.limits.changes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.directory import sql as directory_sql
from exchange.directory.bands import BandAction, Sector
from exchange.directory.change import change
from exchange.directory.service import Reloads
from exchange.directory.snapshot import read_directory
from exchange.ledger.quotas import PointsLimit
from exchange.limits import sql
from exchange.limits.changes.rules import require_lowering
from exchange.limits.model import Position
from exchange.limits.snapshot import read_limits
from exchange.refusals import ResourceNotFound
from exchange.serving.quotas import CallQuota


class LimitChanges:
    """The operator's changes; `source` is this process's copy, read anew after each."""

    def __init__(self, database: Database, source: Reloads) -> None:
        self._database, self._source = database, source

    async def set_cap(
        self, caller: Caller, merchant_id: str, currency_code: str, cap_micros: int, reason: str
    ) -> Position:
        """Lower how much a merchant may come to owe, net, in a settlement currency; from now on, in every server.

        Where there was no cap any is lower. What it owes already counts, also when that is more: then it owes no more
        until it has paid.

        Raises:
            ResourceNotFound: no such merchant.
            CapRaise: the cap that holds is lower; it takes two persons.
        """
        subject, after = f"merchants/{merchant_id}", {"currency_code": currency_code, "cap_micros": cap_micros}
        async with change(self._database, caller, "set net debit cap", subject, after, reason) as connection:
            number = (await read_directory(connection)).merchant(merchant_id, "merchant").number
            require_lowering(subject, currency_code, await present_cap(connection, number, currency_code), cap_micros)
            position = await put_cap(connection, number, currency_code, cap_micros)
        await self._source.reload()
        return position

    async def refuse_removal(self, merchant_id: str, currency_code: str) -> NoReturn:
        """Tell whoever would take a cap away alone what to do instead.

        Raises:
            ResourceNotFound: no such merchant, or it has no cap in the currency.
            CapRaise: it takes two persons.
        """
        async with self._database.read() as connection:
            merchant = (await read_directory(connection)).merchant(merchant_id, "merchant")
            before = await present_cap(connection, merchant.number, currency_code)
        require_lowering(merchant.name, currency_code, before, None)
        raise ResourceNotFound(resource=f"{merchant.name}/exposures/{currency_code}", field="currency_code")

    async def set_points_limits(
        self, caller: Caller, code: str, figures: Mapping[str, int], reason: str
    ) -> PointsLimit | None:
        """Say how many points of a currency a member may be given and use, and may be made, on a day; 0: any number.

        Counting begins now; what happened earlier today is not counted.

        Args:
            caller: who.
            code: of the currency.
            figures: member_earn_units, member_use_units and issuance_units.
            reason: for the audit log.

        Raises:
            ResourceNotFound: no such currency.
        """
        async with change(
            self._database, caller, "set points limits", f"currencies/{code}", figures, reason
        ) as writing:
            number = (await read_directory(writing)).currency(code, "currency").number
            await writing.execute(sql.SET_POINTS_LIMIT, {"currency_no": number, **figures})
            limits = await read_limits(writing)
        await self._source.reload()
        return limits.points.get(number)

    async def set_call_quota(self, caller: Caller, merchant_id: str, quota: CallQuota, reason: str) -> None:
        """Say how often a merchant may call each server process; 0: as often as it likes.

        Another process goes by it from the first call on in which it sees the new version of the directory.

        Raises:
            ResourceNotFound: no such merchant.
        """
        subject, after = f"merchants/{merchant_id}", quota._asdict()
        async with change(self._database, caller, "set call quota", subject, after, reason) as connection:
            number = (await read_directory(connection)).merchant(merchant_id, "quota.merchant").number
            await connection.execute(sql.SET_CALL_QUOTA, {"merchant_no": number, **after})
        await self._source.reload()

    async def set_return_band(
        self, caller: Caller, merchant_id: str, sector: Sector, max_bps: int, action: BandAction, reason: str
    ) -> None:
        """Say from now on how much of the money spent a merchant's earn rules may give back in points.

        Raises:
            ResourceNotFound: no such merchant.
        """
        values = {"sector": sector, "max_bps": max_bps, "action": action}
        subject = f"merchants/{merchant_id}"
        async with change(self._database, caller, "set return band", subject, values, reason) as connection:
            number = (await read_directory(connection)).merchant(merchant_id, "band.merchant").number
            await connection.execute(directory_sql.ADD_RETURN_BAND, {"merchant_no": number, **values})
        await self._source.reload()


async def present_cap(connection: AsyncConnection, merchant_no: int, currency_code: str) -> int | None:
    """The cap that holds, micro-units; None: none does."""
    found = await positions(connection, merchant_no, currency_code)
    return found[0].cap_micros if found else None


async def put_cap(connection: AsyncConnection, merchant_no: int, currency_code: str, cap_micros: int) -> Position:
    """Let a cap hold, in a transaction that is alone behind the fence; what it comes to."""
    await connection.execute(sql.COUNT_ALONE)
    values = {"merchant_no": merchant_no, "currency_code": currency_code, "cap_micros": cap_micros}
    await connection.execute(sql.SET_CAP, values)
    (position,) = await positions(connection, merchant_no, currency_code)
    return position


async def take_cap(connection: AsyncConnection, merchant_no: int, currency_code: str) -> None:
    """Let a cap hold no more, likewise."""
    await connection.execute(sql.REMOVE_CAP, {"merchant_no": merchant_no, "currency_code": currency_code})


async def issued_today(connection: AsyncConnection, currency_no: int, time_zone: str) -> int:
    """Points made of a currency since the coalition's day began, as far as they are counted."""
    values = {"currency_no": currency_no, "time_zone": time_zone}
    return (await connection.execute(sql.ISSUED_TODAY, values)).scalar() or 0


async def positions(
    connection: AsyncConnection, merchant_no: int | None = None, currency_code: str | None = None
) -> Sequence[Position]:
    """Capped merchants as they stand, by id and currency; None: all."""
    values = {"merchant_no": merchant_no, "currency_code": currency_code}
    return [Position(*row[:3], *map(int, row[3:])) for row in await connection.execute(sql.POSITIONS, values)]
