"""The part of the ledger audit that looks at what has left the ledger: checkpoints, and what must agree with them."""

from __future__ import annotations

RETIRED_CHECKS: dict[str, str] = {
    "checkpoints of what has left the ledger are as they were made, each on top of the one before": """
        SELECT r.retirement_no, r.part_name, encode(r.digest, 'hex') AS kept,
               encode(exchange.checkpoint_digest(r.retirement_no), 'hex') AS recomputed,
               encode(r.before_digest, 'hex') AS on_top_of, encode(b.digest, 'hex') AS before
        FROM exchange.retirements r
        LEFT JOIN exchange.retirements b ON b.retirement_no = r.retirement_no - 1
        WHERE r.digest IS NOT NULL
          AND (r.digest IS DISTINCT FROM exchange.checkpoint_digest(r.retirement_no)
               OR r.before_digest IS DISTINCT FROM coalesce(b.digest, ''))
    """,
    "requests whose transfers have left the ledger, and lots those made, are as they were": """
        SELECT r.retirement_no, found.*
        FROM exchange.retirements r
        CROSS JOIN LATERAL (
            SELECT bucket, b.transfers, b.keys_digest IS NOT DISTINCT FROM k.digest AS same_keys,
                   coalesce(b.lots_digest, '') = coalesce(l.digest, '') AS same_lots
            FROM (SELECT * FROM exchange.retired_buckets o WHERE o.retirement_no = r.retirement_no) b
            FULL JOIN exchange.keys_digests(r.from_id, r.to_id) k USING (bucket)
            FULL JOIN exchange.lots_digests(r.from_id, r.to_id) l USING (bucket)
        ) found
        WHERE r.digest IS NOT NULL AND NOT (found.same_keys AND found.same_lots)
    """,
    # But for what the ledger keeps in all its partitions, and one detached that is not retired would be missing.
    "partitions of the ledger follow one another without a gap, and only those have left that are retired": """
        SELECT part_name, from_id, to_id, before
        FROM (SELECT part_name, from_id, to_id, lag(to_id) OVER (ORDER BY to_id) AS before,
                     row_number() OVER (ORDER BY to_id) AS place
              FROM exchange.ledger_parts_v1) parts
        WHERE from_id <> coalesce(before, exchange.retired_to())
    """,
}
