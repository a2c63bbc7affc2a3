"""What only some movements leave, each its own statement; the accounts' locks guard all of it."""

from __future__ import annotations

from exchange.db.engine import DriverConnection
from exchange.ledger.effects import Effects, transposed

USE_DAILY_CAPS = """
INSERT INTO exchange.daily_conversions (bucket, member_id, source_no, target_no, day, used_units)
SELECT bucket, member_id, source_no, target_no, $6, used_units
FROM unnest($1::smallint[], $2::uuid[], $3::integer[], $4::integer[], $5::bigint[])
    AS used (bucket, member_id, source_no, target_no, used_units)
ORDER BY bucket, member_id, source_no, target_no
ON CONFLICT (bucket, member_id, source_no, target_no, day) DO UPDATE SET used_units = excluded.used_units
"""

NOTE_PROGRESS = """
INSERT INTO exchange.follow_ups
    (bucket, transfer_id, done_units, ended, lapses_at, lapsed, returned_minor, uncarried_minor)
SELECT bucket, transfer_id, done_units, ended, lapses_at, lapsed, returned_minor, uncarried_minor
FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::boolean[], $5::timestamptz[], $6::boolean[], $7::bigint[],
            $8::bigint[])
    AS noted (bucket, transfer_id, done_units, ended, lapses_at, lapsed, returned_minor, uncarried_minor)
ORDER BY bucket, transfer_id
ON CONFLICT (bucket, transfer_id) DO UPDATE
SET done_units = excluded.done_units, ended = excluded.ended, lapsed = excluded.lapsed,
    returned_minor = excluded.returned_minor, uncarried_minor = excluded.uncarried_minor
"""

CARRY_SPEND = """
INSERT INTO exchange.spend_carries (bucket, member_id, rule_id, carried_minor)
SELECT bucket, member_id, rule_id, carried_minor
FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[])
    AS carried (bucket, member_id, rule_id, carried_minor)
ORDER BY bucket, member_id, rule_id
ON CONFLICT (bucket, member_id, rule_id) DO UPDATE SET carried_minor = excluded.carried_minor
"""

# A quote that is used is open no more; whoever forgets the expired ones waits for nobody.
USE_QUOTES = """
WITH used AS (
    SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::uuid[]) AS used (bucket, quote_id, transfer_id)
), closed AS (
    DELETE FROM exchange.open_quotes o USING used u WHERE o.bucket = u.bucket AND o.quote_id = u.quote_id
)
INSERT INTO exchange.quote_uses (bucket, quote_id, transfer_id)
SELECT bucket, quote_id, transfer_id FROM used ORDER BY bucket, quote_id
"""

NOTE_TIERS = """
INSERT INTO exchange.transfer_tiers (bucket, transfer_id, tier)
SELECT bucket, transfer_id, tier
FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS noted (bucket, transfer_id, tier)
"""

NOTE_UNUSED = """
INSERT INTO exchange.unused_points AS u (bucket, lot_id, units)
SELECT bucket, lot_id, units FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS noted (bucket, lot_id, units)
ORDER BY bucket, lot_id
ON CONFLICT (bucket, lot_id) DO UPDATE SET units = u.units + excluded.units
"""

NOTE_ENDS = """
INSERT INTO exchange.account_ends (bucket, member_id, currency_no, ends_at, is_open)
SELECT bucket, member_id, currency_no, ends_at, is_open
FROM unnest($1::smallint[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::boolean[])
    AS noted (bucket, member_id, currency_no, ends_at, is_open)
ORDER BY bucket, member_id, currency_no
ON CONFLICT (bucket, member_id, currency_no) DO UPDATE SET ends_at = excluded.ends_at, is_open = excluded.is_open
"""


async def write_rare(connection: DriverConnection, effects: Effects) -> None:
    """What only some movements leave; the accounts' locks guard all of it."""
    if effects.daily:
        await connection.execute(USE_DAILY_CAPS, *transposed(effects.daily, 5), effects.today)
    if effects.progress:
        await connection.execute(NOTE_PROGRESS, *transposed(effects.progress, 8))
    if effects.carried:
        await connection.execute(CARRY_SPEND, *transposed(effects.carried, 4))
    if effects.quoted:
        await connection.execute(USE_QUOTES, *transposed(effects.quoted, 3))
    if effects.tiers:
        await connection.execute(NOTE_TIERS, *transposed(effects.tiers, 3))
    if effects.unused:
        await connection.execute(NOTE_UNUSED, *transposed(effects.unused, 3))
    if effects.ends:
        await connection.execute(NOTE_ENDS, *transposed(effects.ends, 5))
