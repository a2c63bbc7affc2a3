"""Every statement of statements."""

from sqlalchemy import text

from exchange.ledger.model import Account, Side
from exchange.ledger.sql import TRANSFER_COLUMNS

_SIGNED = f"CASE WHEN l.side = {Side.CREDIT:d} THEN l.units ELSE -l.units END"
_OF_MEMBER = f"l.account <> {Account.CIRCULATION:d}"
_IS_HELD = f"l.account = {Account.HELD:d}"

# What an account came to with its lines that have left the ledger.
CARRIED = text("""
SELECT c.available_units::bigint, c.held_units::bigint, c.last_sequence, c.last_occurred_at
FROM exchange.carried_accounts c
WHERE c.bucket = :bucket AND c.member_id = :member_id AND c.currency_no = :currency_no
""")

# What lies before the first line that is asked for. The latest monthly statement all of whose lines lie there spares
# reading them again. If it ended before the last line that has left, the opening begins with what all those came to.
OPENING = text(f"""
SELECT coalesce(base.available, 0) + coalesce(since.available, 0), coalesce(base.held, 0) + coalesce(since.held, 0),
       greatest(base.sequence, since.sequence, 0)
FROM (SELECT) one
LEFT JOIN LATERAL (
    (SELECT m.closing_available_units AS available, m.closing_held_units AS held, m.last_sequence AS sequence,
            m.last_ledger_sequence
     FROM exchange.member_statements m JOIN exchange.statement_runs r USING (month)
     WHERE m.bucket = :bucket AND m.member_id = :member_id AND m.currency_no = :currency_no
       AND (r.ends_at <= CAST(:begins AS timestamptz) OR m.last_sequence <= CAST(:after_sequence AS bigint))
       AND m.last_sequence >= CAST(:carried_sequence AS bigint)
     ORDER BY m.month DESC LIMIT 1)
    UNION ALL
    SELECT CAST(:carried_available AS bigint), CAST(:carried_held AS bigint), CAST(:carried_sequence AS bigint), -1
    ORDER BY last_ledger_sequence DESC LIMIT 1
) base ON true
CROSS JOIN LATERAL (
    SELECT sum({_SIGNED}) FILTER (WHERE NOT {_IS_HELD})::bigint AS available,
           sum({_SIGNED}) FILTER (WHERE {_IS_HELD})::bigint AS held, max(l.account_sequence) AS sequence
    FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.legs) AS l
    WHERE t.bucket = :bucket AND t.member_id = :member_id
      AND t.ledger_sequence > coalesce(base.last_ledger_sequence, -1) AND l.currency_no = :currency_no AND {_OF_MEMBER}
      AND (t.occurred_at < CAST(:begins AS timestamptz) OR l.account_sequence <= CAST(:after_sequence AS bigint))
) since
""")

# From where in the ledger on everything lies that was posted at an instant or later: with the latest window that was
# opened before it, for what earlier windows hold was posted before this one was opened.
PLACE = text("SELECT coalesce(max(first_sequence), 0) FROM exchange.clearing_windows WHERE opened_at < :begins")

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

# ------------------------------------------------------------------------------------------------ monthly
RUN = text("SELECT begins_at, ends_at, ended_at, statements FROM exchange.statement_runs WHERE month = :month")

BEGIN_RUN = text("""
INSERT INTO exchange.statement_runs (month, begins_at, ends_at, started_at)
VALUES (:month, :begins, :ends, :now) ON CONFLICT DO NOTHING
""")

END_RUN = text("""
UPDATE exchange.statement_runs r
SET ended_at = exchange.coalition_now(),
    statements = (SELECT sum(p.statements) FROM exchange.statement_parts p WHERE p.month = r.month)
WHERE r.month = :month AND r.ended_at IS NULL
""")

# Whether there are all statements of a month that begins after an instant, and before another month.
MADE_BETWEEN = text("""
SELECT EXISTS (SELECT FROM exchange.statement_runs
               WHERE ended_at IS NOT NULL AND begins_at > :left_at AND begins_at < :begins)
""")

PARTS_MADE = text("SELECT part FROM exchange.statement_parts WHERE month = :month")

# Whoever has the lock makes the part; whoever does not comes back later.
TAKE_PART = text("SELECT pg_try_advisory_xact_lock(:family, :key)")

ADD_PART = text("""
INSERT INTO exchange.statement_parts (month, part, statements) VALUES (:month, :part, :statements)
""")

# Every lookup is by key, whatever the planner thinks of tables that grow: see `ledger.sql.LANE`.
BY_KEY = text("SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
              " set_config('enable_mergejoin', 'off', true)")  # fmt: skip

# An account's statement goes on where its latest earlier one ended, so only what came since is read. If that one is of
# the month before, everything since is this month's; else what lies before the month goes into the opening.
MAKE_PART = text(f"""
INSERT INTO exchange.member_statements
    (bucket, member_id, currency_no, month, opening_available_units, opening_held_units, credited_units, debited_units,
     reserved_units, unreserved_units, closing_available_units, closing_held_units, entries, last_sequence,
     last_ledger_sequence, totals, made_at)
SELECT a.bucket, a.member_id, a.currency_no, CAST(:month AS date), s.opening, s.opening_held, s.credited, s.debited,
       s.reserved, s.unreserved, s.opening + s.credited - s.debited, s.opening_held + s.reserved - s.unreserved,
       s.entries, s.last_sequence, s.last_ledger_sequence, s.totals, exchange.coalition_now()
FROM exchange.accounts a
LEFT JOIN LATERAL (
    SELECT m.month, m.closing_available_units, m.closing_held_units, m.last_sequence, m.last_ledger_sequence
    FROM exchange.member_statements m
    WHERE m.bucket = a.bucket AND m.member_id = a.member_id AND m.currency_no = a.currency_no AND m.month < :month
    ORDER BY m.month DESC LIMIT 1
) base ON true
CROSS JOIN LATERAL (
    SELECT coalesce(base.closing_available_units, 0)
               + coalesce(sum(k.credited - k.debited) FILTER (WHERE k.is_earlier), 0) AS opening,
           coalesce(base.closing_held_units, 0)
               + coalesce(sum(k.reserved - k.unreserved) FILTER (WHERE k.is_earlier), 0) AS opening_held,
           coalesce(sum(k.credited) FILTER (WHERE NOT k.is_earlier), 0) AS credited,
           coalesce(sum(k.debited) FILTER (WHERE NOT k.is_earlier), 0) AS debited,
           coalesce(sum(k.reserved) FILTER (WHERE NOT k.is_earlier), 0) AS reserved,
           coalesce(sum(k.unreserved) FILTER (WHERE NOT k.is_earlier), 0) AS unreserved,
           coalesce(sum(k.entries) FILTER (WHERE NOT k.is_earlier), 0) AS entries,
           coalesce(max(k.last_sequence), base.last_sequence, 0) AS last_sequence,
           coalesce(max(k.last_ledger_sequence), base.last_ledger_sequence, -1) AS last_ledger_sequence,
           coalesce(array_agg(ROW(k.kind, k.entries, k.credited, k.debited, k.reserved, k.unreserved)
                              ::exchange.statement_total ORDER BY k.kind) FILTER (WHERE NOT k.is_earlier), '{{}}')
               AS totals
    FROM (
        SELECT t.kind, (t.occurred_at < :begins AND base.month IS DISTINCT FROM :month_before) AS is_earlier,
               count(*) AS entries,
               sum(greatest(n.available, 0)) AS credited, sum(greatest(-n.available, 0)) AS debited,
               sum(greatest(n.held, 0)) AS reserved, sum(greatest(-n.held, 0)) AS unreserved,
               max(n.sequence) AS last_sequence, max(t.ledger_sequence) AS last_ledger_sequence
        FROM exchange.transfers t
        CROSS JOIN LATERAL (
            SELECT coalesce(sum({_SIGNED}) FILTER (WHERE NOT {_IS_HELD}), 0) AS available,
                   coalesce(sum({_SIGNED}) FILTER (WHERE {_IS_HELD}), 0) AS held, max(l.account_sequence) AS sequence
            FROM unnest(t.legs) AS l WHERE l.currency_no = a.currency_no AND {_OF_MEMBER}
        ) n
        WHERE t.bucket = a.bucket AND t.member_id = a.member_id
          AND t.ledger_sequence > coalesce(base.last_ledger_sequence, -1) AND t.occurred_at < :ends
          AND n.sequence IS NOT NULL
        GROUP BY t.kind, is_earlier
    ) k
) s
WHERE a.bucket BETWEEN :first AND :last AND a.last_sequence > 0
  AND (s.entries > 0 OR s.opening <> 0 OR s.opening_held <> 0)
ON CONFLICT DO NOTHING
""")

STATEMENTS = text("""
SELECT s.currency_no, c.code, s.month, s.opening_available_units, s.opening_held_units, s.closing_available_units,
       s.closing_held_units, s.credited_units, s.debited_units, s.reserved_units, s.unreserved_units, s.entries,
       s.last_sequence, s.totals, r.begins_at, r.ends_at, s.made_at
FROM exchange.member_statements s
JOIN exchange.statement_runs r USING (month)
JOIN exchange.currencies c USING (currency_no)
WHERE s.bucket = :bucket AND s.member_id = :member_id
  AND (CAST(:currency_no AS integer) IS NULL OR s.currency_no = :currency_no)
  AND (CAST(:month AS date) IS NULL OR s.month = :month)
  AND (s.month, c.code) > (CAST(:after_month AS date), CAST(:after_code AS text))
ORDER BY s.month, c.code LIMIT :limit
""")

# What all statements of a month say of a currency, beside what was then in circulation by the other side of the legs.
SUMMARY = text(f"""
SELECT code, coalesce(s.statements, 0), coalesce(s.opening, 0), coalesce(s.credited, 0), coalesce(s.debited, 0),
       coalesce(s.closing, 0), coalesce(s.held, 0), coalesce(o.units, 0) + coalesce(k.circulating_units, 0)
FROM (SELECT currency_no, count(*) AS statements, sum(opening_available_units) AS opening,
             sum(credited_units) AS credited, sum(debited_units) AS debited, sum(closing_available_units) AS closing,
             sum(closing_held_units) AS held
      FROM exchange.member_statements WHERE month = :month GROUP BY currency_no) s
FULL JOIN (SELECT l.currency_no, -sum({_SIGNED}) AS units
           FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.legs) AS l
           WHERE t.occurred_at < :ends AND NOT {_OF_MEMBER} GROUP BY l.currency_no) o USING (currency_no)
LEFT JOIN exchange.carried_currencies k USING (currency_no)
JOIN exchange.currencies USING (currency_no)
ORDER BY code
""")
