"""Every statement of reading events. What is read is in the order of ledger sequences, ours being called places."""

from exchange.ledger.sql import FENCE, TRANSFER_COLUMNS

# How many blocks of sequences were ever drawn. Not part of any snapshot: it is what it is when it is read.
DRAWN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM exchange.ledger_blocks"

# Which transactions hold the fence at this moment: every one that has drawn a block and has not ended is among them,
# for the fence is taken before a block is drawn and given back after the commit can be seen.
# With the version of the directory, which is no older than that of any of them.
HOLDERS = f"""
SELECT c.directory_version, ARRAY(
    SELECT l.virtualtransaction FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.classid = {FENCE >> 32} AND l.objid = {FENCE & 0xFFFF_FFFF}
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS holders
FROM exchange.coalition c
"""

# Each merchant's transfers lie together in order (transfers_by_merchant): picking from those lists costs the readers
# little, where an index over all of them would cost every transfer. NULL for merchants: everybody's.
TRANSFERS = f"""
SELECT {TRANSFER_COLUMNS}
FROM exchange.merchants m CROSS JOIN LATERAL (
    SELECT o.* FROM exchange.transfers o
    WHERE o.merchant_no = m.merchant_no AND o.ledger_sequence > $1 AND o.ledger_sequence <= $2
      AND ($3::integer[] IS NULL OR o.merchant_no = ANY($3)
           OR EXISTS (SELECT FROM unnest(o.legs) AS leg WHERE leg.currency_no = ANY($4::integer[]))
           OR EXISTS (SELECT FROM unnest(o.obligations) AS owed
                      WHERE owed.debtor_no = ANY($3) OR owed.creditor_no = ANY($3)))
    ORDER BY o.ledger_sequence LIMIT $5
) t
ORDER BY t.ledger_sequence LIMIT $5
"""

# Who of those that are told of a transfer has linked its member.
LINKED = """
SELECT asked.transfer, asked.merchant_no
FROM unnest($1::bigint[], $2::integer[], $3::uuid[]) AS asked (transfer, merchant_no, member_id)
JOIN exchange.member_links USING (merchant_no, member_id)
"""

# With the place before which nothing is kept, seen in the same snapshot: a row at least, whether or not there are any.
NOTED = """
SELECT h.place AS horizon, e.sequence, e.kind, e.occurred_at, e.resource, e.audience, e.detail
FROM exchange.event_horizon h LEFT JOIN LATERAL (
    SELECT * FROM exchange.events o
    WHERE o.sequence > $1 AND o.sequence <= $2 AND o.kind = ANY($3::smallint[])
      AND ($4::integer[] IS NULL OR o.audience IS NULL OR o.audience && $4)
    ORDER BY o.sequence LIMIT $5
) e ON true
ORDER BY e.sequence
"""

HORIZON = "SELECT place FROM exchange.event_horizon"
