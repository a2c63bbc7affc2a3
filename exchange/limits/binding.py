"""Caps that follow what merchants left with the clearing house: whoever clears sets them in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.directory.change import changing
from exchange.limits import sql


async def bind_caps(
    connection: AsyncConnection, caller: Caller, caps: Mapping[tuple[str, str], int], reason: str
) -> None:
    """Set caps in a transaction that has begun, where they are not so already.

    Posters wait from here until it ends, so call it last. Every server decides by the new caps once it has committed.

    Args:
        connection: of that transaction.
        caller: who; stands in the audit log.
        caps: micro-units by merchant id and settlement currency; the merchants are there.
        reason: why, for the log.
    """
    everybody = await connection.execute(sql.POSITIONS, {"merchant_no": None, "currency_code": None})
    present = {(row.merchant_id, row.currency_code): row.cap_micros for row in everybody}
    differ = {key: cap for key, cap in sorted(caps.items()) if present.get(key) != cap}
    if not differ:
        return
    rows = await connection.execute(sql.MERCHANTS, {"ids": sorted({name for name, _ in differ})})
    numbers = {row.merchant_id: row.merchant_no for row in rows}
    after = {f"{name}/{currency}": cap for (name, currency), cap in differ.items()}
    async with changing(connection, caller, "bind net debit caps", "merchants", after, reason):
        await connection.execute(sql.COUNT_ALONE)
        for (name, currency), cap in differ.items():
            values = {"merchant_no": numbers[name], "currency_code": currency, "cap_micros": cap}
            await connection.execute(sql.BIND_CAP, values)
            await connection.execute(sql.SET_CAP, values)
