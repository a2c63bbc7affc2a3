"""Ledgers of any size in minutes: conversions as the exchange posts them, put there by SQL, many at a time.

What a conversion looks like is not written here: the exchange posts some first, and those are repeated for members
drawn anew, with ids, keys, places in the ledger and numbers of the account of their own, while balances, lots and
window totals are kept up. So the audit finds nothing wrong with such a ledger, and later posting goes on from it.
Indexes are filled row by row in the order of posting, and are as large as posting would have left them.
"""

import random
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

import asyncpg

from exchange.ledger.ids import new_id
from exchange.ledger.model import key_bucket
from exchange.ledger.sql import BLOCK_UNITS, FENCE

CHUNK = 100_000
SAMPLES_MIN = 500
"""Conversions that the exchange has to have posted, so that every amount a merchant's members convert is among them."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Told = Callable[[int], None]

# One conversion of each amount, of each merchant: what is repeated.
_SAMPLES = """
CREATE TEMPORARY TABLE samples AS
SELECT row_number() OVER (PARTITION BY s.merchant_no ORDER BY s.used) AS sample_no, s.*
FROM (SELECT DISTINCT ON (t.merchant_no, burnt.units)
             t.merchant_no, t.kind, t.rate_id, t.window_no, t.legs, t.obligations, burnt.currency_no AS source_no,
             burnt.units AS used, minted.currency_no AS target_no, minted.units AS received, l.funder_no, l.price_micros
      FROM exchange.transfers t
      CROSS JOIN LATERAL unnest(t.legs) AS burnt
      CROSS JOIN LATERAL unnest(t.legs) AS minted
      JOIN exchange.lots l ON l.bucket = t.bucket AND l.lot_id = minted.lot_id
      WHERE t.kind = 4 AND burnt.lot_id IS NOT NULL AND burnt.side = 1 AND minted.lot_id IS NOT NULL AND minted.side = 2
        AND t.window_no = (SELECT window_no FROM exchange.clearing_windows WHERE closed_at IS NULL)
      ORDER BY t.merchant_no, burnt.units, t.ledger_sequence) s
"""

# Who may be drawn: members with points of what their merchant's conversions take, all of them in one lot.
_PLAYERS = """
CREATE TEMPORARY TABLE players AS
SELECT row_number() OVER (ORDER BY a.bucket, a.member_id) AS player_no, s.merchant_no, a.bucket, a.member_id,
       a.currency_no AS source_no, s.target_no, l.lot_id
FROM (SELECT DISTINCT merchant_no, source_no, target_no FROM samples) s
JOIN exchange.accounts a ON a.currency_no = s.source_no
JOIN exchange.member_links m ON m.merchant_no = s.merchant_no AND m.member_id = a.member_id
JOIN LATERAL (SELECT lot_id FROM exchange.lots l
              WHERE l.bucket = a.bucket AND l.member_id = a.member_id AND l.currency_no = a.currency_no AND l.is_open
              ORDER BY expires_at, earned_at, lot_id LIMIT 1) l ON true
"""

_DRAWN_FROM = """
SELECT p.merchant_no, p.bucket, (SELECT count(*) FROM samples s WHERE s.merchant_no = p.merchant_no) AS samples
FROM players p ORDER BY player_no
"""

_BLOCKS = "SELECT array_agg(nextval('exchange.ledger_blocks') ORDER BY n) FROM generate_series(1, $1) n"

# Each is numbered within its member: both of the member's accounts go on from where they are.
_DRAWN = f"""
CREATE TEMPORARY TABLE drawn AS
SELECT d.n, p.bucket, p.member_id, p.lot_id AS source_lot, p.target_no, d.transfer_id, d.lot_id, d.request_id,
       d.key_bucket, ($7::bigint[])[1 + (d.n - 1) / {BLOCK_UNITS}] * {BLOCK_UNITS} + (d.n - 1) % {BLOCK_UNITS}
           AS ledger_sequence,
       row_number() OVER (PARTITION BY p.player_no ORDER BY d.n) AS step, s.merchant_no, s.kind, s.rate_id, s.window_no,
       s.legs, s.obligations, s.source_no, s.used, s.received, s.funder_no, s.price_micros,
       exchange.coalition_now() AS at
FROM unnest($1::integer[], $2::integer[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[]) WITH ORDINALITY
    AS d (player_no, sample_no, transfer_id, lot_id, request_id, key_bucket, n)
JOIN players p USING (player_no)
JOIN samples s USING (merchant_no, sample_no)
"""

_REPEATED = (
    """
INSERT INTO exchange.transfers
    (bucket, transfer_id, kind, merchant_no, member_id, request_id, occurred_at, ledger_sequence, window_no, rate_id,
     legs, obligations)
SELECT d.bucket, d.transfer_id, d.kind, d.merchant_no, d.member_id, d.request_id, d.at, d.ledger_sequence, d.window_no,
       d.rate_id,
       ARRAY(SELECT ROW(l.account, l.side, l.currency_no, l.units,
                        CASE WHEN l.account_sequence IS NULL THEN NULL WHEN l.currency_no = d.source_no
                             THEN source.last_sequence + d.step ELSE target.last_sequence + d.step END,
                        CASE WHEN l.lot_id IS NULL THEN NULL WHEN l.currency_no = d.source_no THEN d.source_lot
                             ELSE d.lot_id END)::exchange.points_leg
             FROM unnest(d.legs) WITH ORDINALITY AS l ORDER BY l.ordinality),
       d.obligations
FROM drawn d
JOIN exchange.accounts source
    ON source.bucket = d.bucket AND source.member_id = d.member_id AND source.currency_no = d.source_no
JOIN exchange.accounts target
    ON target.bucket = d.bucket AND target.member_id = d.member_id AND target.currency_no = d.target_no
ORDER BY d.n
""",
    """
INSERT INTO exchange.request_keys
    (bucket, merchant_no, request_id, fingerprint, transfer_bucket, transfer_id, decided_at)
SELECT key_bucket, merchant_no, request_id, sha256(request_id::bytea), bucket, transfer_id, at FROM drawn ORDER BY n
""",
    """
INSERT INTO exchange.lots
    (bucket, lot_id, member_id, currency_no, units, remaining_units, funder_no, price_micros, earned_at, transfer_id)
SELECT bucket, lot_id, member_id, target_no, received, received, funder_no, price_micros, at, transfer_id
FROM drawn ORDER BY n
""",
    """
UPDATE exchange.lots l SET remaining_units = l.remaining_units - d.used
FROM (SELECT bucket, source_lot, sum(used) AS used FROM drawn GROUP BY bucket, source_lot) d
WHERE l.bucket = d.bucket AND l.lot_id = d.source_lot
""",
    """
UPDATE exchange.accounts a
SET available_units = a.available_units + d.units, last_sequence = a.last_sequence + d.steps
FROM (SELECT bucket, member_id, source_no AS currency_no, -sum(used) AS units, count(*) AS steps FROM drawn
      GROUP BY bucket, member_id, source_no
      UNION ALL
      SELECT bucket, member_id, target_no, sum(received), count(*) FROM drawn GROUP BY bucket, member_id, target_no) d
WHERE a.bucket = d.bucket AND a.member_id = d.member_id AND a.currency_no = d.currency_no
""",
    """
INSERT INTO exchange.window_totals AS t
    (window_no, slice, debtor_no, creditor_no, currency_code, kind, micros, obligations)
SELECT d.window_no, 0, o.debtor_no, o.creditor_no, o.currency_code, o.kind, sum(o.micros), count(*)
FROM drawn d CROSS JOIN LATERAL unnest(d.obligations) AS o
GROUP BY d.window_no, o.debtor_no, o.creditor_no, o.currency_code, o.kind
ON CONFLICT (window_no, slice, debtor_no, creditor_no, currency_code, kind) DO UPDATE
SET micros = t.micros + excluded.micros, obligations = t.obligations + excluded.obligations
""",
    "DROP TABLE drawn",
)

# So that what is measured next pays for nothing that the filling left to do.
_SETTLED = (
    "VACUUM (ANALYZE) exchange.transfers, exchange.request_keys, exchange.lots, exchange.accounts",
    "CHECKPOINT",
)


async def grow(connection: Connection, count: int, told: Told = lambda _: None) -> None:
    """Repeat what the exchange posted until so many more conversions are in the ledger.

    Args:
        connection: to a ledger in which the exchange posted SAMPLES_MIN conversions, and nobody posts meanwhile; of
            a role that may vacuum it.
        count: of conversions to add.
        told: hears how many of them are there.
    """
    await connection.execute(_SAMPLES)
    await connection.execute(_PLAYERS)
    await connection.execute("ANALYZE samples; ANALYZE players")
    players = [tuple(row) for row in await connection.fetch(_DRAWN_FROM)]
    assert players, f"the exchange posts {SAMPLES_MIN} conversions first"
    for first in range(0, count, CHUNK):
        await _repeat(connection, players, min(CHUNK, count - first))
        told(min(first + CHUNK, count))
    await connection.execute("DROP TABLE samples, players")
    for statement in _SETTLED:
        await connection.execute(statement)


async def _repeat(connection: Connection, players: list[tuple[Any, ...]], count: int) -> None:
    """Add so many conversions, in one transaction."""
    drawn: list[tuple[int, int, Any, Any, str, int]] = []
    for _ in range(count):
        place = random.randrange(len(players))
        merchant_no, bucket, samples = players[place]
        request_id = str(uuid.UUID(int=random.getrandbits(128)))
        drawn.append((
            place + 1, random.randint(1, samples), new_id(bucket), new_id(bucket), request_id,
            key_bucket(merchant_no, request_id),
        ))  # fmt: skip
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock_shared({FENCE})")
        blocks = await connection.fetchval(_BLOCKS, -(-count // BLOCK_UNITS))
        await connection.execute(_DRAWN, *map(list, zip(*drawn, strict=True)), blocks)
        await connection.execute("ANALYZE drawn")
        for statement in _REPEATED:
            await connection.execute(statement)
