"""Every statement of closing."""

from sqlalchemy import text

from exchange.ledger.sql import TRANSFER_COLUMNS

CLOSE = text("""
INSERT INTO exchange.closed_members (bucket, member_id, closing_id, closed_at, closed_by, reason)
SELECT bucket, member_id, :closing_id, exchange.coalition_now(), :closed_by, :reason
FROM exchange.members WHERE bucket = :bucket AND member_id = :member_id
ON CONFLICT DO NOTHING
RETURNING closing_id
""")

# Accounts that are made later are made closed (`ledger.sql.ENSURE_ACCOUNTS`), or not at all (`exchange.post_batch`).
CLOSE_ACCOUNTS = text("""
UPDATE exchange.accounts SET is_closed = true WHERE bucket = :bucket AND member_id = :member_id
""")

CLOSED = text("""
SELECT bucket, member_id, closing_id, ended_at FROM exchange.closed_members
WHERE bucket = :bucket AND member_id = :member_id
""")

CLOSED_AT = text("""
SELECT closed_at FROM exchange.closed_members WHERE bucket = :bucket AND member_id = :member_id
""")

# Closed, and whoever closed it was gone before everything had ended.
UNFINISHED = text("""
SELECT bucket, member_id, closing_id, ended_at FROM exchange.closed_members
WHERE ended_at IS NULL ORDER BY closed_at LIMIT 100
""")

HOLDS = text("""
SELECT t.transfer_id, t.merchant_no
FROM exchange.transfers t JOIN exchange.follow_ups f USING (bucket, transfer_id)
WHERE t.bucket = :bucket AND t.member_id = :member_id AND t.kind = 7 AND NOT f.ended
ORDER BY t.ledger_sequence LIMIT :limit
""")

# What is reserved for a conversion that waits for an issuer's own ledger ends when that one has.
LEFT = text("""
SELECT currency_no FROM exchange.accounts
WHERE bucket = :bucket AND member_id = :member_id AND held_units = 0
  AND (available_units <> 0 OR overdrawn_units <> 0)
ORDER BY currency_no
""")

FINISH = text("""
UPDATE exchange.closed_members SET ended_at = exchange.coalition_now()
WHERE bucket = :bucket AND member_id = :member_id AND ended_at IS NULL
  AND NOT EXISTS (SELECT FROM exchange.external_conversions c
                  WHERE c.bucket = :bucket AND c.member_id = :member_id AND c.ended_at IS NULL)
""")

VOIDED = text(
    "SELECT "
    + TRANSFER_COLUMNS
    + """
FROM exchange.transfers t
WHERE t.bucket = :bucket AND t.member_id = :member_id AND t.kind = 127 ORDER BY t.ledger_sequence
"""
)
