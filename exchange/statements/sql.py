"""Every statement of statements."""

from sqlalchemy import text

from exchange.ledger.model import Account, Side
from exchange.ledger.sql import TRANSFER_COLUMNS

_SIGNED = f"CASE WHEN l.side = {Side.CREDIT:d} THEN l.units ELSE -l.units END"
_OF_MEMBER = f"l.account <> {Account.CIRCULATION:d}"
_IS_HELD = f"l.account = {Account.HELD:d}"

# What lies before the first line that is asked for; numbers of an account rise with its place in the ledger.
OPENING = text(f"""
SELECT coalesce(sum({_SIGNED}) FILTER (WHERE NOT {_IS_HELD}), 0)::bigint AS available,
       coalesce(sum({_SIGNED}) FILTER (WHERE {_IS_HELD}), 0)::bigint AS held,
       coalesce(max(l.account_sequence), 0) AS sequence
FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.legs) AS l
WHERE t.bucket = :bucket AND t.member_id = :member_id AND l.currency_no = :currency_no AND {_OF_MEMBER}
  AND (t.occurred_at < CAST(:begins AS timestamptz) OR l.account_sequence <= CAST(:after_sequence AS bigint))
""")

LINES = text(f"""
SELECT {TRANSFER_COLUMNS}
FROM exchange.transfers t
WHERE t.bucket = :bucket AND t.member_id = :member_id AND t.ledger_sequence > :after
  AND (CAST(:begins AS timestamptz) IS NULL OR t.occurred_at >= :begins)
  AND (CAST(:ends AS timestamptz) IS NULL OR t.occurred_at < :ends)
  AND EXISTS (SELECT FROM unnest(t.legs) AS l
              WHERE l.currency_no = :currency_no AND {_OF_MEMBER} AND l.account_sequence > :after_sequence)
ORDER BY t.ledger_sequence LIMIT :limit
""")
