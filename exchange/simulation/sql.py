"""Every statement of the simulation: all of them read."""

from sqlalchemy import text

from exchange.ledger.model import TransferKind
from exchange.ledger.sql import TRANSFER_COLUMNS

# The ledger is laid out by window; the windows around the days keep the rest of it from being looked at.
WINDOWS = text("""
SELECT coalesce(max(window_no) FILTER (WHERE closed_at < :since), 0) + 1,
       coalesce(max(window_no) FILTER (WHERE closed_at < :until), 0) + 1
FROM exchange.clearing_windows_v1
""")

# Whether promotions had a part in a transfer: gave a bonus beside it, took one back, or had paid for a lot it ended.
_BONUS = f"""EXISTS (SELECT FROM exchange.bonus_entries b WHERE b.bucket = t.bucket AND b.transfer_id = t.transfer_id)
       OR t.kind = {TransferKind.EXPIRE:d} AND EXISTS (
           SELECT FROM unnest(t.legs) AS leg
           JOIN exchange.bonus_entries b ON b.bucket = t.bucket AND b.lot_id = leg.lot_id)
"""

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
SELECT {TRANSFER_COLUMNS}
FROM (SELECT DISTINCT bucket, member_id
      FROM unnest(CAST(:buckets AS smallint[]), CAST(:members AS uuid[])) AS m (bucket, member_id)) asked
JOIN exchange.transfers t USING (bucket, member_id)
WHERE t.kind = :reversal AND t.original_id = ANY(:originals)
""")

LOTS = text("""
SELECT l.lot_id, l.funder_no, l.price_micros, l.bucket, l.transfer_id, l.earned_at
FROM unnest(CAST(:buckets AS smallint[]), CAST(:names AS uuid[])) AS asked (bucket, lot_id)
JOIN exchange.lots l USING (bucket, lot_id)
""")
