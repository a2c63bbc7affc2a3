"""The door to the exchange, as proofs look through it: a window's obligations as leaves of a tree, in ledger order.

PostgreSQL writes a leaf and hashes it, so that a million of them need not travel as text.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.exchange_ledger import KIND_NAMES

AT_ONCE = 5_000
"""So many rows are fetched at a time."""

# As `proofs.offline.ITEM` reads it. No id, name or code has a bar in it.
_LEAF = """concat_ws('|', transfer_id, ledger_sequence, position,
    to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    CAST(CAST(:kinds AS text) AS jsonb) ->> kind::text,
    debtor, creditor, currency_code, micros, points_units, price_micros)"""

HASHES = text(
    """
SELECT sha256(decode('00', 'hex') || convert_to(@leaf, 'UTF8')) AS hash
FROM exchange.clearing_entries_v1 WHERE window_no = :window_no ORDER BY ledger_sequence, position
""".replace("@leaf", _LEAF)
)

LEAVES = text(
    """
SELECT place, @leaf AS leaf
FROM (SELECT *, row_number() OVER (ORDER BY ledger_sequence, position) - 1 AS place
      FROM exchange.clearing_entries_v1 WHERE window_no = :window_no) numbered
WHERE :party IN (debtor, creditor) ORDER BY place
""".replace("@leaf", _LEAF)
)


class Leaf(NamedTuple):
    """An obligation as a leaf, with its place in the window's tree, from 0."""

    place: int
    leaf: str


async def hashes(connection: AsyncConnection, window_no: int) -> AsyncIterator[bytes]:
    """Hashes of all leaves of a window, in order; memory does not grow with it."""
    values = {"window_no": window_no, "kinds": json.dumps(KIND_NAMES)}
    async for row in await connection.stream(HASHES.execution_options(yield_per=AT_ONCE), values):
        yield row.hash


async def leaves(connection: AsyncConnection, window_no: int, party: str) -> list[Leaf]:
    """The leaves of what somebody is debtor or creditor of, in order."""
    values = {"window_no": window_no, "party": party, "kinds": json.dumps(KIND_NAMES)}
    return [Leaf(*row) for row in await connection.execute(LEAVES, values)]
