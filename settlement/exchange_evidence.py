"""The door to the exchange, as evidence looks through it: every obligation streamed, prices as they were."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.exchange_ledger import Entry, require_window_kept

# One pass in ledger order: pages would sort a large window anew each time.
EVERY_ENTRY = text("""
SELECT transfer_id, ledger_sequence, window_no, occurred_at, position, kind, debtor, creditor, currency_code, micros,
       points_units, price_micros
FROM exchange.clearing_entries_v1 WHERE window_no = :window_no ORDER BY ledger_sequence, position
""")

PRICE_COLUMNS = (
    "points", "issuer", "money", "effective_at", "published_at", "issue", "redeem", "conversion_in", "conversion_out",
    "cash_out", "cash_out_fee_bps",
)  # fmt: skip
PRICES = text("""
SELECT c.code, m.merchant_id, c.settlement_currency, p.effective_at, p.published_at, p.issue_micros, p.redeem_micros,
       p.conversion_in_micros, p.conversion_out_micros, p.cash_out_micros, p.cash_out_fee_bps
FROM exchange.prices p
JOIN exchange.currencies c USING (currency_no) JOIN exchange.merchants m ON m.merchant_no = c.issuer_no
WHERE p.published_at <= :until AND p.effective_at <= :until ORDER BY c.code, p.effective_at
""")


async def every_entry(connection: AsyncConnection, window_no: int, at_once: int) -> AsyncIterator[Entry]:
    """A window's obligations in ledger order, so many rows in memory at a time.

    Raises:
        TransferRetired: some of its transfers have left the ledger.
    """
    await require_window_kept(connection, window_no)
    fetching = EVERY_ENTRY.execution_options(yield_per=at_once)
    async for row in await connection.stream(fetching, {"window_no": window_no}):
        yield Entry(*row)


async def prices_until(connection: AsyncConnection, until: datetime) -> list[Sequence[Any]]:
    """Every price that was published and in force at some time until then; cells as PRICE_COLUMNS."""
    return [tuple(row) for row in await connection.execute(PRICES, {"until": until})]
