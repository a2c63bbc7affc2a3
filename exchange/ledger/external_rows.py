"""Conversions with a currency whose issuer keeps the balances itself, as a batch writes them.

The conversion, its instruction and the event that tells of it are written in the transaction that begins it; that it
has ended, in the transaction that posts its end. What is asked and answered in between is `exchange.external`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.external import Begun, Ended, Row
from exchange.ledger.sql import BLOCK_UNITS

REFERENCES = """
SELECT member_id, merchant_no, reference
FROM unnest($1::integer[], $2::uuid[]) AS asked (merchant_no, member_id)
JOIN exchange.member_links USING (merchant_no, member_id)
"""

# The instruction has the conversion's id, and a place of its own in the order of events: that of the transfer is taken.
BEGIN = f"""
WITH begun AS MATERIALIZED (
    SELECT b.*, drawn.first + b.place - 1 AS position
    FROM (SELECT nextval('exchange.ledger_blocks') * {BLOCK_UNITS} AS first) drawn,
         unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::integer[], $5::integer[], $6::integer[], $7::boolean[],
                $8::text[], $9::integer[], $10::uuid[], $11::integer[], $12::integer[], $13::bigint[], $14::bigint[],
                $15::bigint[], $16::bigint[], $17::bigint[])
         WITH ORDINALITY AS b (bucket, member_id, conversion_id, merchant_no, external_no, issuer_no, is_debit,
                               member_reference, answer_seconds, rate_id, source_no, target_no, used_units,
                               received_units, fee_micros, out_price_micros, in_price_micros, place)
), kept AS (
    INSERT INTO exchange.external_conversions
        (bucket, conversion_id, position, merchant_no, member_id, external_no, issuer_no, is_debit, member_reference,
         answer_seconds, rate_id, source_no, target_no, used_units, received_units, fee_micros, out_price_micros,
         in_price_micros, created_at, ask_at)
    SELECT bucket, conversion_id, position, merchant_no, member_id, external_no, issuer_no, is_debit, member_reference,
         answer_seconds, rate_id, source_no, target_no, used_units, received_units, fee_micros, out_price_micros,
         in_price_micros, $18::timestamptz, $18::timestamptz + make_interval(secs => answer_seconds)
    FROM begun
), instructed AS (
    INSERT INTO exchange.external_instructions
        (bucket, instruction_id, conversion_id, position, issuer_no, kind, created_at)
    SELECT bucket, conversion_id, conversion_id, position, issuer_no, CASE WHEN is_debit THEN 1 ELSE 2 END,
           $18::timestamptz
    FROM begun
)
INSERT INTO exchange.events (sequence, kind, occurred_at, resource, audience)
SELECT position, {EventKind.INSTRUCTION_GIVEN:d}, $18::timestamptz, 'instructions/' || conversion_id, ARRAY[issuer_no]
FROM begun
"""

END = """
UPDATE exchange.external_conversions c
SET transfer_id = ended.transfer_id, ended_at = $4::timestamptz
FROM unnest($1::smallint[], $2::uuid[], $3::uuid[]) AS ended (bucket, conversion_id, transfer_id)
WHERE c.bucket = ended.bucket AND c.conversion_id = ended.conversion_id AND c.transfer_id IS NULL
"""


async def read_references(
    connection: DriverConnection, asked: Iterable[tuple[int, UUID]]
) -> Sequence[tuple[UUID, int, str]]:
    """How merchants that keep balances know members: member, merchant and reference of each pair that is linked."""
    pairs = list(asked)
    if not pairs:
        return []
    rows = await connection.fetch(REFERENCES, *map(list, zip(*pairs, strict=True)))
    return [(row[0], row[1], row[2]) for row in rows]


async def write_external(connection: DriverConnection, rows: Sequence[Row], now: datetime) -> None:
    """Write what a batch began and ended. Holds the fence, as whoever draws a place in the order of events must."""
    begun = [_columns(row, one) for *row, one in rows if isinstance(one, Begun)]
    if begun:
        await connection.execute(BEGIN, *map(list, zip(*begun, strict=True)), now)
    ended = sorted((row[0], one.conversion_id, row[2]) for *row, one in rows if isinstance(one, Ended))
    if ended:
        await connection.execute(END, *map(list, zip(*ended, strict=True)), now)


def _columns(row: Sequence[Any], begun: Begun) -> tuple[Any, ...]:
    *named, terms = begun
    # The daily cap was counted when it was begun; it is no part of what waits.
    return (*row, *named, *terms[:-1])
