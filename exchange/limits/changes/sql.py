"""Every statement of changes of caps."""

from sqlalchemy import text

PROPOSING = 0x63_61_70_73
"""Advisory lock: one proposal at a time, so that those that wait are counted right."""

ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock({PROPOSING})")

ADD = text("""
INSERT INTO exchange.cap_changes (change_id, request_id, merchant_no, currency_code, before_micros, cap_micros, reason,
    digest, proposed_by, proposed_person, proposed_at, expires_at, state)
VALUES (:change_id, :request_id, :merchant_no, :currency_code, :before_micros, :cap_micros, :reason, :digest,
    :proposed_by, :proposed_person, :proposed_at, :expires_at, 1)
""")

_CHANGE = """
SELECT c.change_id, c.request_id, c.merchant_no, m.merchant_id, c.currency_code, c.before_micros, c.cap_micros,
       c.reason, c.proposed_by, c.proposed_person, c.proposed_at, c.expires_at, c.state, c.decided_by,
       c.decided_person, c.decided_at, c.decision_note
FROM exchange.cap_changes c JOIN exchange.merchants m USING (merchant_no)
"""

BY_NAME = text(_CHANGE + "WHERE c.change_id = :change_id")

BY_KEY = text(_CHANGE + "WHERE c.request_id = :request_id")

# Whoever decides holds the row: approving and withdrawing at once, one of the two comes first.
TO_DECIDE = text(_CHANGE + "WHERE c.change_id = :change_id FOR UPDATE OF c")

# What lapses is not written down: a proposal has lapsed when its time is over.
PAGE = text(
    _CHANGE
    + """
WHERE c.change_id > :after
  AND (:state = 0
       OR :state = CASE WHEN c.state = 1 AND c.expires_at <= exchange.coalition_now() THEN 4 ELSE c.state END)
ORDER BY c.change_id LIMIT :limit
"""
)

WAITING = text("SELECT count(*) FROM exchange.cap_changes WHERE state = 1 AND expires_at > :now")

DECIDE = text("""
UPDATE exchange.cap_changes
SET state = :state, decided_by = :decided_by, decided_person = :decided_person, decided_at = :decided_at,
    decision_note = :decision_note
WHERE change_id = :change_id
""")
