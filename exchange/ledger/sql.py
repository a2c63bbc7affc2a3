"""Every statement of the posting path, in the order a batch runs them. Arrays in, rows out; no statement is assembled.

Lock order, everywhere: the fence (shared) → accounts by (bucket, member, currency) → budgets of promotions by number
(`bonus_rows`) → what was made of currencies today (`quota_rows`) → exposures of capped merchants by (merchant,
currency) (`exposure_rows`) → totals by their key → idempotency keys by (bucket, merchant, request_id). Each statement
sees what was committed before it began (READ COMMITTED).
"""

FENCE = 0x70_6F_69_6E_74_73
"""Advisory lock: posters share it; whoever changes the directory or cuts a window off takes it alone, for a moment."""

BLOCK_UNITS = 1000
"""Ledger sequences handed out at once; also the most commands one transaction takes."""

# The planner's figures lag behind tables that grow by thousands of rows a second, and a plan made while a table was
# small would read all of it later. Every lookup here is by key: say so. A lane says it once, where its connection keeps
# what it was told; a transaction says it for itself. What is proved under the fence must be younger than the fence, so
# every statement has to see what was committed before it began.
LANE = """
SET default_transaction_isolation = 'read committed';
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET plan_cache_mode = force_generic_plan;
SET lock_timeout = '10s'
"""

LEAVE_LANE = "RESET ALL"

BEGIN = f"""
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock_shared({FENCE})
"""

MEMBERS_BY_ID = """
SELECT merchant_no, member_id, bucket
FROM unnest($1::integer[], $2::uuid[]) AS asked (merchant_no, member_id)
JOIN exchange.member_links USING (merchant_no, member_id)
"""

MEMBERS_BY_REFERENCE = """
SELECT merchant_no, reference, member_id, bucket
FROM unnest($1::integer[], $2::text[]) AS asked (merchant_no, reference)
JOIN exchange.member_links USING (merchant_no, reference)
"""

# Rows that do not exist cannot be locked, so they are made first, in the same order as the locks.
ENSURE_ACCOUNTS = """
INSERT INTO exchange.accounts (bucket, member_id, currency_no, is_closed)
SELECT bucket, member_id, currency_no,
       EXISTS (SELECT FROM exchange.closed_members c WHERE c.bucket = k.bucket AND c.member_id = k.member_id)
FROM unnest($1::exchange.account_key[]) AS k
ORDER BY bucket, member_id, currency_no
ON CONFLICT DO NOTHING
"""

LOCK_ACCOUNTS = """
SELECT wanted.place, a.available_units, a.last_sequence, a.held_units, a.overdrawn_units, a.is_closed
FROM unnest($1::exchange.account_key[]) WITH ORDINALITY AS wanted (bucket, member_id, currency_no, place)
JOIN exchange.accounts a USING (bucket, member_id, currency_no)
ORDER BY a.bucket, a.member_id, a.currency_no
FOR UPDATE OF a
"""

# The lots of an account that may be spent, in spending order: only as many as the batch may take of it, and of those
# the first few, whatever it has: nearly always they are enough, and else all are asked for.
LOTS_AT_FIRST = 16

_MOMENT = """
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() + c.clock_offset AS now, c.generation, c.directory_version, c.halted_at,
           (SELECT window_no FROM exchange.clearing_windows WHERE closed_at IS NULL) AS window_no,
           (SELECT count(*) FROM unnest($1::exchange.key_name[]) AS asked
            JOIN exchange.request_keys k USING (bucket, merchant_no, request_id)) AS known_keys
    FROM exchange.coalition c
)
"""

_LOTS = """
    SELECT f.*, sum(f.remaining_units) OVER (ORDER BY f.expires_at, f.earned_at, f.lot_id) AS so_far
    FROM (SELECT * FROM exchange.lots o
          WHERE o.bucket = asked.bucket AND o.member_id = asked.member_id AND o.currency_no = asked.currency_no
            AND o.is_open AND (o.expires_at IS NULL OR o.expires_at > m.now) AND asked.wanted > 0
          ORDER BY o.expires_at, o.earned_at, o.lot_id LIMIT $3) f
"""

# After the locks, all in one question. First row: what holds for whatever is decided now, and how many of the keys were
# answered before. Then the lots, guarded by their accounts' locks.
MOMENT = f"""
{_MOMENT}
SELECT 0 AS place, NULL::uuid AS lot_id, NULL::bigint AS remaining_units, NULL::integer AS funder_no,
       NULL::bigint AS price_micros, NULL::timestamptz AS earned_at, NULL::timestamptz AS expires_at,
       NULL::bigint AS held_units,
       m.now, m.generation, m.directory_version, m.halted_at, m.window_no, m.known_keys
FROM moment m
UNION ALL
SELECT asked.place, l.lot_id, l.remaining_units, l.funder_no, l.price_micros, l.earned_at, l.expires_at, l.held_units,
       NULL, NULL, NULL, NULL, NULL, NULL
FROM moment m
CROSS JOIN unnest($2::exchange.account_want[]) WITH ORDINALITY AS asked (bucket, member_id, currency_no, wanted, place)
CROSS JOIN LATERAL ({_LOTS}) l
WHERE l.so_far - l.remaining_units < asked.wanted
ORDER BY place, expires_at, earned_at, lot_id
"""

# The same and the accounts with it, in one question and without any lock: what a batch is decided on that proves when
# it is written that none of it has moved. First row: what holds. Then each account, once for each of its lots and once
# if it has none, in any order; one that nobody has made yet has no last sequence.
LOOK = f"""
{_MOMENT}
SELECT 0 AS place, NULL::bigint AS available_units, NULL::bigint AS last_sequence, NULL::bigint AS account_held_units,
       NULL::bigint AS overdrawn_units, NULL::boolean AS is_closed,
       NULL::uuid AS lot_id, NULL::bigint AS remaining_units, NULL::integer AS funder_no, NULL::bigint AS price_micros,
       NULL::timestamptz AS earned_at, NULL::timestamptz AS expires_at, NULL::bigint AS held_units,
       m.now, m.generation, m.directory_version, m.halted_at, m.window_no, m.known_keys
FROM moment m
UNION ALL
SELECT asked.place, coalesce(a.available_units, 0), a.last_sequence, coalesce(a.held_units, 0),
       coalesce(a.overdrawn_units, 0),
       coalesce(a.is_closed, EXISTS (SELECT FROM exchange.closed_members c
                                     WHERE c.bucket = asked.bucket AND c.member_id = asked.member_id)),
       l.lot_id, l.remaining_units, l.funder_no, l.price_micros, l.earned_at, l.expires_at, l.held_units,
       NULL, NULL, NULL, NULL, NULL, NULL
FROM moment m
CROSS JOIN unnest($2::exchange.account_want[]) WITH ORDINALITY AS asked (bucket, member_id, currency_no, wanted, place)
LEFT JOIN exchange.accounts a USING (bucket, member_id, currency_no)
LEFT JOIN LATERAL (SELECT * FROM ({_LOTS}) first WHERE first.so_far - first.remaining_units < asked.wanted) l ON true
"""

MORE_LOTS = """
SELECT asked.place, l.lot_id, l.remaining_units, l.funder_no, l.price_micros, l.earned_at, l.expires_at, l.held_units
FROM unnest($1::exchange.account_want[]) WITH ORDINALITY AS asked (bucket, member_id, currency_no, wanted, place)
CROSS JOIN LATERAL (
    SELECT o.*, sum(o.remaining_units) OVER (ORDER BY o.expires_at, o.earned_at, o.lot_id) AS so_far
    FROM exchange.lots o
    WHERE o.bucket = asked.bucket AND o.member_id = asked.member_id AND o.currency_no = asked.currency_no
      AND o.is_open AND (o.expires_at IS NULL OR o.expires_at > $2)
) l
WHERE l.so_far - l.remaining_units < asked.wanted
ORDER BY place, expires_at, earned_at, lot_id
"""

KNOWN_KEYS = """
SELECT k.merchant_no, k.request_id, k.fingerprint, k.transfer_bucket, k.transfer_id, k.refusal
FROM unnest($1::exchange.key_name[]) AS asked
JOIN exchange.request_keys k USING (bucket, merchant_no, request_id)
"""

TRANSFER_COLUMNS = """t.bucket, t.transfer_id, t.kind, t.merchant_no, t.member_id, t.request_id, t.reference,
       t.occurred_at, t.ledger_sequence, t.window_no, t.rate_id, t.legs, t.obligations, t.original_id, t.expires_at,
       t.frozen_price_micros, t.earn_rule, t.spend_minor, t.carried_minor"""

TRANSFERS_BY_ID = f"""
SELECT {TRANSFER_COLUMNS}
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, transfer_id)
JOIN exchange.transfers t USING (bucket, transfer_id)
"""

FOLLOW_UPS = """
SELECT f.transfer_id, f.done_units, f.ended, f.lapses_at, f.lapsed, f.returned_minor, f.uncarried_minor
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, transfer_id)
JOIN exchange.follow_ups f USING (bucket, transfer_id)
"""

UNUSED_POINTS = """
SELECT u.lot_id, u.units
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, lot_id)
JOIN exchange.unused_points u USING (bucket, lot_id)
"""

SPEND_CARRIES = """
SELECT c.member_id, c.rule_id, c.carried_minor
FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS asked (bucket, member_id, rule_id)
JOIN exchange.spend_carries c USING (bucket, member_id, rule_id)
"""

# What a quote promised never changes; whether it was used is asked under the account's lock.
QUOTES = """
SELECT q.quote_id, q.merchant_no, q.member_id, q.rate_id, q.source_no, q.target_no, q.used_units, q.received_units,
       q.fee_micros, q.out_price_micros, q.in_price_micros, q.member_daily_cap_units, q.created_at, q.expires_at
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, quote_id)
JOIN exchange.quotes q USING (bucket, quote_id)
"""

QUOTE_USES = """
SELECT u.quote_id, u.transfer_id
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, quote_id)
JOIN exchange.quote_uses u USING (bucket, quote_id)
"""

# Lots that follow-ups name, open or not.
LOTS_BY_ID = """
SELECT l.member_id, l.currency_no, l.lot_id, l.remaining_units, l.funder_no, l.price_micros, l.earned_at, l.expires_at,
       l.held_units
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, lot_id)
JOIN exchange.lots l USING (bucket, lot_id)
"""

ACCOUNT_ENDS = """
SELECT e.member_id, e.currency_no, e.ends_at
FROM unnest($1::exchange.account_key[]) AS asked
JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
"""

# Lots that have reached their end, or whose account has by inactivity, and still hold points.
DUE_LOTS = """
SELECT l.member_id, l.currency_no, l.lot_id, l.remaining_units, l.funder_no, l.price_micros, l.earned_at, l.expires_at,
       l.held_units
FROM unnest($1::exchange.account_key[]) AS asked
JOIN exchange.lots l USING (bucket, member_id, currency_no)
LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
WHERE l.is_open AND (l.expires_at <= $2 OR e.ends_at <= $2)
ORDER BY l.expires_at, l.earned_at, l.lot_id
"""

# Every lot of an account that holds spendable points, ended or not.
OPEN_LOTS = """
SELECT l.member_id, l.currency_no, l.lot_id, l.remaining_units, l.funder_no, l.price_micros, l.earned_at, l.expires_at,
       l.held_units
FROM unnest($1::exchange.account_key[]) AS asked
JOIN exchange.lots l USING (bucket, member_id, currency_no)
WHERE l.is_open
ORDER BY l.expires_at, l.earned_at, l.lot_id
"""

DAILY_CONVERSIONS = """
SELECT d.member_id, d.source_no, d.target_no, d.used_units
FROM unnest($1::smallint[], $2::uuid[], $3::integer[], $4::integer[]) AS asked (bucket, member_id, source_no, target_no)
JOIN exchange.daily_conversions d USING (bucket, member_id, source_no, target_no)
WHERE d.day = $5
"""

# The same from the conversions themselves, for a day on which nobody counted from its beginning: the pair had no cap
# yet. What was reversed is not used, nor what was called off of conversions with an issuer's own ledger.
CONVERTED_SINCE = """
WITH asked AS (
    SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::integer[], $4::integer[])
        AS asked (bucket, member_id, source_no, target_no)
)
SELECT member_id, source_no, target_no, sum(units)::bigint FROM (
    SELECT t.member_id, asked.source_no, asked.target_no, burnt.units
    FROM asked
    JOIN exchange.transfers t USING (bucket, member_id)
    CROSS JOIN LATERAL unnest(t.legs) AS burnt
    WHERE t.kind = 4 AND t.occurred_at >= $5
      AND burnt.account = 2 AND burnt.side = 2 AND burnt.currency_no = asked.source_no
      AND EXISTS (SELECT FROM unnest(t.legs) AS minted
                  WHERE minted.account = 2 AND minted.side = 1 AND minted.currency_no = asked.target_no)
      AND NOT EXISTS (SELECT FROM exchange.follow_ups f
                      WHERE f.bucket = t.bucket AND f.transfer_id = t.transfer_id AND f.ended)
    UNION ALL
    SELECT x.member_id, x.source_no, x.target_no, x.used_units
    FROM asked JOIN exchange.external_conversions x USING (bucket, member_id, source_no, target_no)
    WHERE x.created_at >= $5 AND (x.transfer_id IS NULL OR x.answer = 1)
) used
GROUP BY member_id, source_no, target_no
"""

# One call for all effects, one round trip: `exchange.post_batch`, made by migration 0034. It takes the fence, proves
# that what the batch was decided on still holds, draws the batch's block of ledger sequences and gives back its first;
# NULL, and nothing is written, when somebody was alone behind the fence since. When an account has moved since it was
# read, or somebody else has used a key since it was asked for, the whole of it fails and the batch starts again: to
# insert what nearly always conflicts with nothing costs a search less than to look first.
REQUEST_KEYS = "request_keys_pkey"

EFFECTS = """
SELECT exchange.post_batch($1::exchange.new_request_key[], $2::exchange.new_transfer[], $3::exchange.new_lot[],
                           $4::exchange.lot_state[], $5::exchange.account_change[], $6::exchange.account_change[],
                           $7::exchange.window_totals[], $8, $9, $10, $11, $12)
"""
