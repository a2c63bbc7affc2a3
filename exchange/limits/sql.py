"""Every statement of the limits but those of a batch, which stand in `exchange.ledger.exposure_rows`."""

from sqlalchemy import text

DISCHARGES = 0x64_69_73_63_68
"""Advisory lock: whoever discharges debts shares it; whoever begins to count a merchant's takes it alone."""

CAPPED = text("SELECT merchant_no, currency_code FROM exchange.exposures")

COUNT_ALONE = text(f"SELECT pg_advisory_xact_lock({DISCHARGES})")

DISCHARGE_TOGETHER = text(f"SELECT pg_advisory_xact_lock_shared({DISCHARGES})")

# Alone behind the fence and the lock above, so that what is counted here is everything, and what comes later is added.
# A cap that is set anew keeps what has been counted.
SET_CAP = text("""
INSERT INTO exchange.exposures
    (merchant_no, currency_code, cap_micros, payable_micros, receivable_micros, reserved_micros)
SELECT :merchant_no, :currency_code, :cap_micros,
       (SELECT coalesce(sum(micros), 0) FROM exchange.window_totals
        WHERE debtor_no = :merchant_no AND currency_code = :currency_code)
     + (SELECT coalesce(sum(micros), 0) FROM exchange.discharges
        WHERE creditor_no = :merchant_no AND currency_code = :currency_code),
       (SELECT coalesce(sum(micros), 0) FROM exchange.window_totals
        WHERE creditor_no = :merchant_no AND currency_code = :currency_code)
     + (SELECT coalesce(sum(micros), 0) FROM exchange.discharges
        WHERE debtor_no = :merchant_no AND currency_code = :currency_code),
       (SELECT coalesce(sum(micros), 0) FROM exchange.promised_v1
        WHERE debtor_no = :merchant_no AND currency_code = :currency_code)
ON CONFLICT (merchant_no, currency_code) DO UPDATE SET cap_micros = excluded.cap_micros
""")

# The database lets whoever clears write only what follows from funds, and lets a cap rise to what is written here.
BIND_CAP = text("""
INSERT INTO exchange.cap_bindings (merchant_no, currency_code, cap_micros)
VALUES (:merchant_no, :currency_code, :cap_micros)
""")

REMOVE_CAP = text("""
DELETE FROM exchange.exposures WHERE merchant_no = :merchant_no AND currency_code = :currency_code
RETURNING merchant_no
""")

POSITIONS = text("""
SELECT e.merchant_no, m.merchant_id, e.currency_code, e.cap_micros, e.payable_micros, e.receivable_micros,
       e.reserved_micros
FROM exchange.exposures e JOIN exchange.merchants m USING (merchant_no)
WHERE (CAST(:merchant_no AS integer) IS NULL OR e.merchant_no = :merchant_no)
  AND (CAST(:currency_code AS text) IS NULL OR e.currency_code = :currency_code)
ORDER BY m.merchant_id COLLATE "C", e.currency_code
""")

# ------------------------------------------------------------------------------------------------ points on a day
POINTS_LIMITS = text("""
SELECT currency_no, member_earn_units, member_use_units, issuance_units, members_since, issuance_since
FROM exchange.points_limits WHERE member_earn_units + member_use_units + issuance_units > 0
""")

# Who is counted already stays counted from when he was; a count begins with the first figure that needs it.
SET_POINTS_LIMIT = text("""
INSERT INTO exchange.points_limits AS l
    (currency_no, member_earn_units, member_use_units, issuance_units, members_since, issuance_since)
VALUES (:currency_no, :member_earn_units, :member_use_units, :issuance_units, exchange.coalition_now(),
        exchange.coalition_now())
ON CONFLICT (currency_no) DO UPDATE
SET member_earn_units = excluded.member_earn_units, member_use_units = excluded.member_use_units,
    issuance_units = excluded.issuance_units,
    members_since = CASE WHEN l.member_earn_units + l.member_use_units > 0 THEN l.members_since
                         ELSE excluded.members_since END,
    issuance_since = CASE WHEN l.issuance_units > 0 THEN l.issuance_since ELSE excluded.issuance_since END
""")

ISSUED_TODAY = text("""
SELECT issued_units FROM exchange.issuance_days
WHERE currency_no = :currency_no AND day = (exchange.coalition_now() AT TIME ZONE :time_zone)::date
""")

# ------------------------------------------------------------------------------------------------ calls
CALL_QUOTAS = text("""
SELECT merchant_no, calls_per_second, burst_calls, concurrent_calls FROM exchange.call_quotas
WHERE calls_per_second + concurrent_calls > 0
""")

SET_CALL_QUOTA = text("""
INSERT INTO exchange.call_quotas (merchant_no, calls_per_second, burst_calls, concurrent_calls)
VALUES (:merchant_no, :calls_per_second, :burst_calls, :concurrent_calls)
ON CONFLICT (merchant_no) DO UPDATE
SET calls_per_second = excluded.calls_per_second, burst_calls = excluded.burst_calls,
    concurrent_calls = excluded.concurrent_calls
""")

# ------------------------------------------------------------------------------------------------ discharges
MERCHANTS = text("SELECT merchant_id, merchant_no FROM exchange.merchants WHERE merchant_id = ANY(:ids)")

KNOWN_SOURCES = text("""
SELECT d.source, debtor.merchant_id, creditor.merchant_id, d.currency_code
FROM exchange.discharges d
JOIN exchange.merchants debtor ON debtor.merchant_no = d.debtor_no
JOIN exchange.merchants creditor ON creditor.merchant_no = d.creditor_no
WHERE d.source = ANY(:sources)
""")

ADD_DISCHARGE = text("""
INSERT INTO exchange.discharges (source, debtor_no, creditor_no, currency_code, micros, discharged_at)
VALUES (:source, :debtor_no, :creditor_no, :currency_code, :micros, exchange.coalition_now())
ON CONFLICT (source, debtor_no, creditor_no, currency_code) DO NOTHING RETURNING discharge_no
""")

# In the order posters lock them.
LOCK_EXPOSURES = text("""
SELECT merchant_no, currency_code FROM exchange.exposures WHERE merchant_no = ANY(:numbers)
ORDER BY merchant_no, currency_code FOR UPDATE
""")

MOVE_EXPOSURE = text("""
UPDATE exchange.exposures
SET payable_micros = payable_micros + :payable_micros, receivable_micros = receivable_micros + :receivable_micros
WHERE merchant_no = :merchant_no AND currency_code = :currency_code
""")
