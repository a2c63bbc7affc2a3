"""Every statement of the simulation: all of them read."""

from sqlalchemy import text

from exchange.ledger.sql import TRANSFER_COLUMNS

# The ledger is laid out by window; the windows around the days keep the rest of it from being looked at.
WINDOWS = text("""
SELECT coalesce(max(window_no) FILTER (WHERE closed_at < :since), 0) + 1,
       coalesce(max(window_no) FILTER (WHERE closed_at < :until), 0) + 1
FROM exchange.clearing_windows_v1
""")

# Whether promotions gave a bonus beside a transfer, or it took one back.
_BONUS = "EXISTS (SELECT FROM exchange.bonus_entries b WHERE b.bucket = t.bucket AND b.transfer_id = t.transfer_id)"

TRANSFERS = text(f"""
SELECT {TRANSFER_COLUMNS}, n.tier, q.created_at, {_BONUS}
FROM exchange.transfers t
LEFT JOIN exchange.transfer_tiers n USING (bucket, transfer_id)
LEFT JOIN exchange.quote_uses u USING (bucket, transfer_id)
LEFT JOIN exchange.quotes q USING (bucket, quote_id)
WHERE t.window_no BETWEEN :first AND :last AND t.occurred_at >= :since AND t.occurred_at < :until
ORDER BY t.ledger_sequence
""")

TRANSFERS_BY_ID = text(f"""
SELECT {TRANSFER_COLUMNS}, n.tier, q.created_at, {_BONUS}
FROM unnest(CAST(:buckets AS smallint[]), CAST(:names AS uuid[])) AS asked (bucket, transfer_id)
JOIN exchange.transfers t USING (bucket, transfer_id)
LEFT JOIN exchange.transfer_tiers n USING (bucket, transfer_id)
LEFT JOIN exchange.quote_uses u USING (bucket, transfer_id)
LEFT JOIN exchange.quotes q USING (bucket, quote_id)
""")

# By member, as the ledger is indexed: a person has few.
REVERSALS_OF = text(f"""
SELECT {TRANSFER_COLUMNS},
       coalesce((SELECT sum(b.returned_units) FROM exchange.bonus_entries b
                 WHERE b.bucket = t.bucket AND b.transfer_id = t.transfer_id), 0)::bigint
FROM (SELECT DISTINCT bucket, member_id
      FROM unnest(CAST(:buckets AS smallint[]), CAST(:members AS uuid[])) AS m (bucket, member_id)) asked
JOIN exchange.transfers t USING (bucket, member_id)
WHERE t.kind = :reversal AND t.original_id = ANY(:originals)
""")

LOTS = text("""
SELECT l.lot_id, l.funder_no, l.price_micros, l.bucket, l.transfer_id, l.earned_at, b.promotion_no
FROM unnest(CAST(:buckets AS smallint[]), CAST(:names AS uuid[])) AS asked (bucket, lot_id)
JOIN exchange.lots l USING (bucket, lot_id)
LEFT JOIN exchange.bonus_entries b ON b.bucket = l.bucket AND b.lot_id = l.lot_id AND b.given_units > 0
""")

BONUSES = text("""
SELECT b.transfer_id, b.promotion_no, b.given_units + b.returned_units, b.returned_units > 0, b.lot_id, l.price_micros
FROM unnest(CAST(:buckets AS smallint[]), CAST(:names AS uuid[])) AS asked (bucket, transfer_id)
JOIN exchange.bonus_entries b USING (bucket, transfer_id)
JOIN exchange.lots l USING (bucket, lot_id)
ORDER BY b.transfer_id, b.promotion_no
""")

# What budgets and caps had left before the days: what they have now, less what was given and came back since.
GIVEN_SINCE = text("""
SELECT b.promotion_no, b.member_id, (sum(b.given_units) - sum(b.returned_units))::bigint
FROM exchange.transfers t
JOIN exchange.bonus_entries b USING (bucket, transfer_id)
WHERE t.window_no >= :first AND t.occurred_at >= :since
GROUP BY b.promotion_no, b.member_id
""")

MEMBER_USES = text("""
SELECT u.member_id, u.promotion_no, u.used_units
FROM (SELECT DISTINCT bucket, member_id
      FROM unnest(CAST(:buckets AS smallint[]), CAST(:members AS uuid[])) AS m (bucket, member_id)) asked
JOIN exchange.promotion_members u USING (bucket, member_id)
""")
