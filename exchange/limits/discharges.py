"""Debts that ended otherwise than by posting: they were paid, or rounded away. Headroom comes back in that moment.

Whoever clears writes them, in the transaction that learns of it. The same door takes money that is paid in advance: it
is owed back, and so it stands beside what a merchant is owed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.limits import sql


class Discharge(NamedTuple):
    """So much less is owed by the debtor to the creditor. Never changed: what comes back is another one, turned round.

    Attributes:
        source: what it comes from, "payments/W1-1-1-…": one source discharges a pair once, however often it is told.
        debtor: merchant id.
        creditor: merchant id.
        currency_code: settlement currency.
        micros: how much, above zero.
    """

    source: str
    debtor: str
    creditor: str
    currency_code: str
    micros: int


async def discharge(connection: AsyncConnection, discharges: Iterable[Discharge]) -> None:
    """Note discharges, and give capped merchants their headroom, or take it back; in the caller's transaction.

    Call it once in a transaction and late: capped merchants' movements wait from here until it ends.
    """
    told = list(discharges)
    known = await connection.execute(sql.KNOWN_SOURCES, {"sources": [one.source for one in told]})
    before = {tuple(row) for row in known}
    asked = sorted(one for one in told if (one.source, one.debtor, one.creditor, one.currency_code) not in before)
    if not asked:
        return
    assert all(one.micros > 0 and one.debtor != one.creditor for one in asked)
    names = {name for one in asked for name in (one.debtor, one.creditor)}
    rows = await connection.execute(sql.MERCHANTS, {"ids": sorted(names)})
    numbers: dict[str, int] = {row.merchant_id: row.merchant_no for row in rows}
    assert numbers.keys() == names, f"no merchants: {names - numbers.keys()}"
    await connection.execute(sql.DISCHARGE_TOGETHER)
    moved: dict[tuple[int, str], list[int]] = {}
    for one in asked:
        debtor_no, creditor_no = numbers[one.debtor], numbers[one.creditor]
        parties = {"debtor_no": debtor_no, "creditor_no": creditor_no, "currency_code": one.currency_code}
        values = {**parties, "source": one.source, "micros": one.micros}
        if (await connection.execute(sql.ADD_DISCHARGE, values)).first() is None:
            continue
        moved.setdefault((creditor_no, one.currency_code), [0, 0])[0] += one.micros
        moved.setdefault((debtor_no, one.currency_code), [0, 0])[1] += one.micros
    await connection.execute(sql.LOCK_EXPOSURES, {"numbers": sorted({number for number, _ in moved})})
    for (merchant_no, currency_code), (payable, receivable) in sorted(moved.items()):
        key = {"merchant_no": merchant_no, "currency_code": currency_code}
        figures = {"payable_micros": payable, "receivable_micros": receivable}
        await connection.execute(sql.MOVE_EXPOSURE, {**key, **figures})
