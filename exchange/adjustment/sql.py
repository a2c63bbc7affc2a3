"""Every statement of the adjustments."""

from sqlalchemy import text

PROPOSING = 0x61_64_6A_75_73_74
"""Advisory lock: one proposal at a time, so that those that wait are counted right."""

ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock({PROPOSING})")

# Proposed again under the same key: the first one stands.
ADD = text("""
INSERT INTO exchange.adjustments (adjustment_id, merchant_no, request_id, bucket, member_id, currency, direction, units,
    reason, note, funder, digest, proposed_by, proposed_person, proposed_at, expires_at, state)
VALUES (:adjustment_id, :merchant_no, :request_id, :bucket, :member_id, :currency, :direction, :units, :reason, :note,
    :funder, :digest, :proposed_by, :proposed_person, :proposed_at, :expires_at, :state)
""")

_ADJUSTMENT = """
SELECT adjustment_id, merchant_no, request_id, bucket, member_id, currency, direction, units, reason, note, funder,
       proposed_by, proposed_person, proposed_at, expires_at, state, decided_by, decided_person, decided_at,
       decision_note, transfer_id, refusal
FROM exchange.adjustments
"""

BY_NAME = text(_ADJUSTMENT + "WHERE adjustment_id = :adjustment_id")

BY_KEY = text(
    _ADJUSTMENT
    + "WHERE request_id = :request_id AND coalesce(merchant_no, 0) = coalesce(CAST(:merchant_no AS integer), 0)"
)

# Whoever decides holds the row: approving and withdrawing at once, one of the two comes first.
TO_DECIDE = text(_ADJUSTMENT + "WHERE adjustment_id = :adjustment_id FOR UPDATE")

# What lapses is not written down: a proposal has lapsed when its time is over.
PAGE = text(
    _ADJUSTMENT
    + """
WHERE adjustment_id > :after AND (CAST(:merchant_no AS integer) IS NULL OR merchant_no = :merchant_no)
  AND (:state = 0
       OR :state = CASE WHEN state = 1 AND expires_at <= exchange.coalition_now() THEN 6 ELSE state END)
ORDER BY adjustment_id LIMIT :limit
"""
)

WAITING = text("""
SELECT count(*) FROM exchange.adjustments
WHERE merchant_no IS NOT DISTINCT FROM CAST(:merchant_no AS integer) AND state = 1 AND expires_at > :now
""")

DECIDE = text("""
UPDATE exchange.adjustments
SET state = :state, decided_by = :decided_by, decided_person = :decided_person, decided_at = :decided_at,
    decision_note = :decision_note
WHERE adjustment_id = :adjustment_id
""")

# The ledger's answer never changes, so whoever notes it last notes the same.
NOTE_ANSWER = text("""
UPDATE exchange.adjustments SET state = :state, transfer_id = :transfer_id, refusal = :refusal
WHERE adjustment_id = :adjustment_id AND state IN (2, :state)
""")

# Approved, and whoever approved was gone before the ledger had answered.
UNANSWERED = text(_ADJUSTMENT + "WHERE state = 2 ORDER BY adjustment_id LIMIT 100")
