"""Net debit caps on a ledger in a real database."""

from __future__ import annotations

from dataclasses import replace

from exchange.limits.changes.model import Asked
from exchange.limits.discharges import Discharge, discharge
from exchange.limits.model import Position
from exchange.limits.service import positions
from tests.integration.ledger.ledgers import OPERATOR, Ledger
from tests.movements import a_key
from tests.unit.rules.rulebook import MERCHANT_NO

TEL_ISSUED, TEL_REDEEMED = 12_000, 10_000
"""Micro-yuan that an earning merchant owes TEL for a point, and TEL an accepting merchant."""


ANN, ZOE = replace(OPERATOR, person="ann"), replace(OPERATOR, credential="other console", person="zoe")
"""Two persons at the operator."""


async def cap(ledger: Ledger, merchant: str, micros: int) -> Position:
    """From now on the merchant owes at most so many micro-yuan: a cap that is not raised."""
    return await ledger.api.limits.set_cap(OPERATOR, merchant, "CNY", micros, "test")


async def agreed_cap(ledger: Ledger, merchant: str, micros: int | None) -> Position | None:
    """The same by two persons: any cap, or none."""
    asked = Asked(merchant=merchant, currency_code="CNY", cap_micros=micros, reason="test")
    (change, _), _ = await ledger.api.cap_changes.propose(ANN, a_key(), asked)
    return (await ledger.api.cap_changes.approve(ZOE, change.change_id, change.digest(), ""))[1]


async def exposure(ledger: Ledger, merchant: str) -> Position:
    """A capped merchant as it stands."""
    async with ledger.database.read() as connection:
        (position,) = await positions(connection, MERCHANT_NO[merchant], "CNY")
    return position


async def pay(ledger: Ledger, source: str, debtor: str, creditor: str, micros: int) -> None:
    """Tell that so much was paid."""
    async with ledger.database.write() as connection:
        await discharge(connection, [Discharge(source, debtor, creditor, "CNY", micros)])
