"""Telling payers and payees, by the exchange's events, what becomes of payments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.exchange_ledger import EventKind, Happening, tell
from settlement.payments import sql
from settlement.payments.model import AttemptState

KINDS = {
    AttemptState.EXPORTED: EventKind.PAYMENT_INSTRUCTED,
    AttemptState.SETTLED: EventKind.PAYMENT_SETTLED,
    AttemptState.REJECTED: EventKind.PAYMENT_FAILED,
    AttemptState.RETURNED: EventKind.PAYMENT_FAILED,
}
"""What is told. That a bank took a payment on is no news to whoever waits for the money."""

Moved = tuple[str, AttemptState]
"""An attempt by its EndToEndId, and the state it came into."""


async def tell_moved(connection: AsyncConnection, moved: Sequence[Moved]) -> None:
    """Make events of attempts that came into other states, in this order; in the caller's transaction, late."""
    told = [(name, state) for name, state in moved if state in KINDS]
    rows = await connection.execute(sql.ATTEMPTS, {"names": [name for name, _ in told]})
    attempts = {row.end_to_end_id: row for row in rows}
    for kind, group in groupby(told, key=lambda one: KINDS[one[1]]):
        await tell(connection, kind, [_happening(attempts[name], state) for name, state in group])


def _happening(row: Row[Any], state: AttemptState) -> Happening:
    detail = {
        "run": f"runs/{row.run_id}",
        "window": f"windows/{row.window_no}",
        "payer": f"merchants/{row.payer}",
        "payee": f"merchants/{row.payee}",
        "currency_code": row.currency_code,
        "minor_units": row.minor_units,
        "attempt": row.attempt,
        "returned": state is AttemptState.RETURNED,
    }
    return Happening(f"payments/{row.end_to_end_id}", {row.payer, row.payee}, detail)
