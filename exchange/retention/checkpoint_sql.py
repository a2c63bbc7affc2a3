"""The sums of a checkpoint: what a partition's transfers came to, on top of what had left before.

The audit counts with the same figures, by the same signs. `{part}` is the partition's table, by the name the database
itself gave it; nothing in it changes any more.
"""

from exchange.ledger.model import Account, Side, TransferKind

PARTS = 64
BUCKETS_OF_PART = 16

_SIGNED = f"CASE WHEN l.side = {Side.CREDIT:d} THEN l.units::numeric ELSE -l.units::numeric END"
_LEGS = "FROM exchange.{part} t CROSS JOIN LATERAL unnest(t.legs) AS l"
_NO_ACTIVITY = ", ".join(
    f"{kind:d}" for kind in (TransferKind.RELEASE, TransferKind.REVERSAL, TransferKind.EXPIRE, TransferKind.VOID)
)
_ENDING = ", ".join(f"{kind:d}" for kind in (TransferKind.EXPIRE, TransferKind.DEBIT_ADJUSTMENT, TransferKind.VOID))

ACCOUNTS = f"""
INSERT INTO exchange.retired_accounts
    (bucket, member_id, currency_no, retirement_no, available_units, held_units, overdrawn_units, entries,
     last_sequence, last_ledger_sequence, last_occurred_at, last_active_at)
SELECT bucket, member_id, currency_no, :number, m.available + coalesce(b.available_units, 0),
       m.held + coalesce(b.held_units, 0), m.overdrawn + coalesce(b.overdrawn_units, 0),
       m.entries + coalesce(b.entries, 0), greatest(m.last_sequence, b.last_sequence),
       greatest(m.last_ledger_sequence, b.last_ledger_sequence), greatest(m.last_occurred_at, b.last_occurred_at),
       greatest(m.last_active_at, b.last_active_at)
FROM (
    SELECT t.bucket, t.member_id, l.currency_no,
           coalesce(sum({_SIGNED}) FILTER (WHERE l.account <> {Account.HELD:d}), 0) AS available,
           coalesce(sum({_SIGNED}) FILTER (WHERE l.account = {Account.HELD:d}), 0) AS held,
           -coalesce(sum({_SIGNED}) FILTER (WHERE l.account = {Account.OVERDRAFT:d}), 0) AS overdrawn,
           count(DISTINCT l.account_sequence) AS entries, max(l.account_sequence) AS last_sequence,
           max(t.ledger_sequence) AS last_ledger_sequence, max(t.occurred_at) AS last_occurred_at,
           max(t.occurred_at) FILTER (WHERE t.kind NOT IN ({_NO_ACTIVITY})) AS last_active_at
    {_LEGS} WHERE l.account <> {Account.CIRCULATION:d} GROUP BY t.bucket, t.member_id, l.currency_no
) m LEFT JOIN exchange.carried_accounts b USING (bucket, member_id, currency_no)
"""

# Ids are of the servers' clocks: where those disagree, an entry from just before the cut may stand just after it.
MISSING = f"""
UPDATE exchange.retired_accounts a SET missing = ARRAY(
    SELECT due.n FROM (SELECT unnest(found.missing) UNION
                       SELECT generate_series(found.before + 1, a.last_sequence)) AS due (n)
    WHERE NOT EXISTS (SELECT {_LEGS}
                      WHERE t.bucket = a.bucket AND t.member_id = a.member_id AND l.currency_no = a.currency_no
                        AND l.account <> {Account.CIRCULATION:d} AND l.account_sequence = due.n)
    ORDER BY due.n)
FROM (SELECT x.bucket, x.member_id, x.currency_no, coalesce(b.last_sequence, 0) AS before,
             coalesce(b.missing, '{{{{}}}}') AS missing
      FROM exchange.retired_accounts x LEFT JOIN exchange.carried_accounts b USING (bucket, member_id, currency_no)
      WHERE x.retirement_no = :number AND x.last_sequence <> x.entries) found
WHERE a.retirement_no = :number AND a.bucket = found.bucket AND a.member_id = found.member_id
  AND a.currency_no = found.currency_no
"""

LOTS = f"""
INSERT INTO exchange.retired_lots (bucket, lot_id, retirement_no, remaining_units, held_units, unused_units)
SELECT bucket, lot_id, :number, m.remaining + coalesce(b.remaining_units, 0), m.held + coalesce(b.held_units, 0),
       m.unused + coalesce(b.unused_units, 0)
FROM (
    SELECT t.bucket, l.lot_id,
           coalesce(sum({_SIGNED}) FILTER (WHERE l.account = {Account.MEMBER:d}), 0) AS remaining,
           coalesce(sum({_SIGNED}) FILTER (WHERE l.account = {Account.HELD:d}), 0) AS held,
           coalesce(sum(l.units) FILTER (WHERE t.kind IN ({_ENDING}) AND l.account = {Account.MEMBER:d}
                                           AND l.side = {Side.DEBIT:d}), 0) AS unused
    {_LEGS} WHERE l.lot_id IS NOT NULL GROUP BY t.bucket, l.lot_id
) m LEFT JOIN exchange.carried_lots b USING (bucket, lot_id)
WHERE (m.remaining, m.held, m.unused) <> (0, 0, 0)
"""

PAIRS = """
INSERT INTO exchange.retired_pairs
    (retirement_no, window_no, debtor_no, creditor_no, currency_code, kind, micros, obligations)
SELECT :number, t.window_no, o.debtor_no, o.creditor_no, o.currency_code, o.kind, sum(o.micros), count(*)
FROM exchange.{part} t CROSS JOIN LATERAL unnest(t.obligations) AS o
GROUP BY t.window_no, o.debtor_no, o.creditor_no, o.currency_code, o.kind
"""

CURRENCIES = f"""
INSERT INTO exchange.retired_currencies (retirement_no, currency_no, circulating_units)
SELECT :number, l.currency_no, -sum({_SIGNED})
{_LEGS} WHERE l.account = {Account.CIRCULATION:d} GROUP BY l.currency_no
"""

CARRIES = """
INSERT INTO exchange.retired_carries (bucket, member_id, rule_id, retirement_no, carried_minor)
SELECT DISTINCT ON (bucket, member_id, earn_rule) bucket, member_id, earn_rule, :number, carried_minor
FROM exchange.{part} WHERE earn_rule IS NOT NULL
ORDER BY bucket, member_id, earn_rule, ledger_sequence DESC
"""

SUMS = (ACCOUNTS, MISSING, LOTS, PAIRS, CURRENCIES, CARRIES)

# Some buckets at a time: their rows as text are put in order.
BUCKETS = """
INSERT INTO exchange.retired_buckets (retirement_no, bucket, transfers, rows_digest, keys_digest, lots_digest)
SELECT :number, r.bucket, r.transfers, r.digest, k.digest, coalesce(l.digest, '')
FROM (SELECT t.bucket, count(*) AS transfers,
             sha256(convert_to(string_agg(row_to_json(t)::text, E'\\n' ORDER BY t.transfer_id), 'UTF8')) AS digest
      FROM exchange.{part} t GROUP BY t.bucket) r
LEFT JOIN exchange.keys_digests(:from_id, :to_id) k USING (bucket)
LEFT JOIN exchange.lots_digests(:from_id, :to_id) l USING (bucket)
"""
