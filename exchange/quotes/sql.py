"""Every statement of quotes, but those of the posting path."""

from sqlalchemy import text

from exchange.ledger.sql import FENCE

# Shared, as posters do: while it is held the directory stands still, so a quote is made by what is in force.
FENCE_SHARED = text(f"SELECT pg_advisory_xact_lock_shared({FENCE})")

MOMENT = text("SELECT clock_timestamp() + clock_offset, directory_version FROM exchange.coalition")

# Nearest end first, and no more of them than matter. More expired ones are forgotten than come in, so that none is left
# for long; what another call is forgetting is left to it, and nobody waits.
OPEN = text("""
WITH forgotten AS (
    DELETE FROM exchange.open_quotes o
    USING (SELECT bucket, quote_id FROM exchange.open_quotes WHERE merchant_no = :merchant_no AND expires_at <= :at
           ORDER BY expires_at LIMIT 8 FOR UPDATE SKIP LOCKED) over
    WHERE o.bucket = over.bucket AND o.quote_id = over.quote_id
)
SELECT count(*), min(expires_at)
FROM (SELECT expires_at FROM exchange.open_quotes WHERE merchant_no = :merchant_no AND expires_at > :at
      ORDER BY expires_at LIMIT :most) soonest
""")

ADD = text("""
WITH counted AS (
    INSERT INTO exchange.open_quotes (bucket, quote_id, merchant_no, expires_at)
    VALUES (:bucket, :quote_id, :merchant_no, :expires_at)
)
INSERT INTO exchange.quotes (bucket, quote_id, merchant_no, member_id, rate_id, source_no, target_no, used_units,
    received_units, fee_micros, out_price_micros, in_price_micros, member_daily_cap_units, created_at, expires_at)
VALUES (:bucket, :quote_id, :merchant_no, :member_id, :rate_id, :source_no, :target_no, :used_units,
    :received_units, :fee_micros, :out_price_micros, :in_price_micros, :member_daily_cap_units, :created_at,
    :expires_at)
""")

QUOTE = text("""
SELECT q.quote_id, q.merchant_no, q.member_id, q.rate_id, q.source_no, q.target_no, q.used_units, q.received_units,
       q.fee_micros, q.out_price_micros, q.in_price_micros, q.member_daily_cap_units, q.created_at, q.expires_at,
       u.transfer_id
FROM exchange.quotes q LEFT JOIN exchange.quote_uses u USING (bucket, quote_id)
WHERE q.bucket = :bucket AND q.quote_id = :quote_id
""")
