"""Every statement about partitions and their leaving, but for the checkpoint's sums."""

from sqlalchemy import text

MAKE_PARTS = text("SELECT exchange.make_ledger_parts(:months, :ahead)")

# Until when there are partitions, and whether there is one for now.
REACH = text("""
SELECT exchange.time_of_id(max(to_id::text)::uuid), coalesce(bool_or(
    from_id <= exchange.id_at(clock_timestamp()) AND to_id > exchange.id_at(clock_timestamp())), false)
FROM exchange.ledger_parts_v1
""")

PARTS = text("""
SELECT part_name, from_id, to_id, exchange.time_of_id(to_id) FROM exchange.ledger_parts_v1 ORDER BY to_id
""")

CONTENT = """
SELECT count(*), max(ledger_sequence), max(window_no), max(occurred_at) FROM exchange.{part}
"""

BEFORE = text("""
SELECT coalesce(max(last_sequence), 0), coalesce(max(last_window_no), 0),
       coalesce(max(last_occurred_at), '1970-01-01 00:00:00+00')
FROM exchange.retirements
""")

SURROUNDINGS = text("""
SELECT clock_timestamp(),
       (SELECT count(*) FROM exchange.ledger_parts_v1 WHERE to_id <= :from_id),
       (SELECT window_no FROM exchange.clearing_windows WHERE closed_at IS NULL),
       (SELECT count(*) FROM exchange.follow_ups
        WHERE NOT ended AND lapses_at IS NOT NULL AND transfer_id >= :from_id AND transfer_id < :to_id),
       (SELECT count(*) FROM exchange.external_conversions
        WHERE transfer_id IS NULL AND conversion_id >= :from_id AND conversion_id < :to_id),
       (SELECT count(*) FROM exchange.closed_members WHERE ended_at IS NULL AND closed_at <= :last_occurred_at),
       (SELECT place FROM exchange.event_horizon),
       (SELECT max(begins_at) FROM exchange.statement_runs WHERE ended_at IS NOT NULL),
       (SELECT count(*) FROM exchange.statement_runs WHERE ended_at IS NULL)
""")

_RETIREMENT = """
SELECT retirement_no, part_name, from_id, to_id, transfers, began_by, before_digest, digest, archive, archive_digest,
       CASE WHEN dropped_at IS NOT NULL THEN 5 WHEN detached_at IS NOT NULL THEN 4 WHEN archived_at IS NOT NULL THEN 3
            WHEN digest IS NOT NULL THEN 2 ELSE 1 END
FROM exchange.retirements
"""

RETIREMENTS = text(_RETIREMENT + "ORDER BY retirement_no")

# One at a time, whoever asks.
TAKE_TURNS = text("SELECT pg_advisory_xact_lock(x'726574697265'::bigint)")

# The same for what takes hours, in many transactions: held by the connection. Whoever is second does not wait.
TAKE_STEPS = text("SELECT pg_try_advisory_lock(x'7374657073'::bigint)")
GIVE_STEPS_BACK = text("SELECT pg_advisory_unlock(x'7374657073'::bigint)")

# Locks out nobody who posts elsewhere in the ledger, and no reader.
FREEZE = """
CREATE TRIGGER leaving BEFORE INSERT OR UPDATE OR DELETE ON exchange.{part}
    FOR EACH ROW EXECUTE FUNCTION exchange.refuse_change()
"""

BEGIN = text("""
INSERT INTO exchange.retirements (retirement_no, part_name, from_id, to_id, began_at, began_by, transfers,
    last_sequence, last_window_no, last_occurred_at, before_digest)
VALUES (:number, :part_name, :from_id, :to_id, clock_timestamp(), :began_by, :transfers, :last_sequence,
    :last_window_no, :last_occurred_at, :before_digest)
""")

CHECKPOINTED = text("""
UPDATE exchange.retirements SET digest = exchange.checkpoint_digest(retirement_no) WHERE retirement_no = :number
""")

# None when new snapshots do without the partition: then it has left, whatever came since. Nor of an empty one, which
# nobody can need.
STILL_THERE = text("""
SELECT r.transfers, r.last_sequence, r.last_window_no, r.last_occurred_at
FROM exchange.retirements r JOIN exchange.ledger_parts_v1 USING (part_name)
WHERE r.retirement_no = :number AND r.transfers > 0
""")

ARCHIVED = text("""
UPDATE exchange.retirements SET archive = :archive, archive_digest = :archive_digest, archived_at = clock_timestamp()
WHERE retirement_no = :number
""")

DETACHED = text("UPDATE exchange.retirements SET detached_at = clock_timestamp() WHERE retirement_no = :number")

DROPPED = text("""
UPDATE exchange.retirements SET dropped_at = clock_timestamp(), dropped_by = :person WHERE retirement_no = :number
""")

DROP = "DROP TABLE exchange.{part}"

KEY = text("""
SELECT key_id, caller_role, holder FROM exchange.api_keys
WHERE secret_hash = :secret_hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
""")

ROWS = """
SELECT t.bucket, row_to_json(t)::text FROM exchange.{part} t WHERE t.bucket BETWEEN :first AND :last
ORDER BY t.bucket, t.transfer_id
"""

BUCKETS = text("""
SELECT bucket, transfers, rows_digest FROM exchange.retired_buckets
WHERE retirement_no = :number AND bucket BETWEEN :first AND :last
""")

# What this retirement added to what had left before.
ACCOUNTS = text("""
SELECT a.member_id, a.currency_no, a.available_units - coalesce(b.available_units, 0),
       a.held_units - coalesce(b.held_units, 0), a.overdrawn_units - coalesce(b.overdrawn_units, 0),
       a.entries - coalesce(b.entries, 0)
FROM exchange.retired_accounts a
LEFT JOIN LATERAL (SELECT * FROM exchange.retired_accounts o
                   WHERE o.bucket = a.bucket AND o.member_id = a.member_id AND o.currency_no = a.currency_no
                     AND o.retirement_no < a.retirement_no ORDER BY o.retirement_no DESC LIMIT 1) b ON true
WHERE a.retirement_no = :number AND a.bucket BETWEEN :first AND :last
""")

LOTS = text("""
SELECT a.lot_id, a.remaining_units - coalesce(b.remaining_units, 0), a.held_units - coalesce(b.held_units, 0),
       a.unused_units - coalesce(b.unused_units, 0)
FROM exchange.retired_lots a
LEFT JOIN LATERAL (SELECT * FROM exchange.retired_lots o
                   WHERE o.bucket = a.bucket AND o.lot_id = a.lot_id
                     AND o.retirement_no < a.retirement_no ORDER BY o.retirement_no DESC LIMIT 1) b ON true
WHERE a.retirement_no = :number AND a.bucket BETWEEN :first AND :last
""")

PAIRS = text("""
SELECT window_no, debtor_no, creditor_no, currency_code, kind, micros, obligations
FROM exchange.retired_pairs WHERE retirement_no = :number
""")

CURRENCIES = text("""
SELECT currency_no, circulating_units FROM exchange.retired_currencies WHERE retirement_no = :number
""")
