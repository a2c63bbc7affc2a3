"""Every statement of evidence. Each has an order of its own: the same window gives the same bytes."""

from sqlalchemy import text

RUNS = text("""
SELECT r.run_id, r.digest, r.before_run, r.created_at, r.created_by, r.created_person
FROM settlement.runs r WHERE r.window_no = :window_no ORDER BY r.order_no
""")

RESULT = text("SELECT result FROM settlement.runs WHERE run_id = :run_id")

STEPS = text("""
SELECT t.run_id, t.step_no, t.from_state, t.to_state, t.at, t.actor, t.person, t.reason, t.checkers_needed
FROM settlement.run_transitions t JOIN settlement.runs r USING (run_id)
WHERE r.window_no = :window_no ORDER BY r.order_no, t.step_no
""")

DECISIONS = text("""
SELECT d.run_id, d.person, d.verdict, d.digest, d.at, d.actor, d.reason
FROM settlement.run_decisions d JOIN settlement.runs r USING (run_id)
WHERE r.window_no = :window_no ORDER BY r.order_no, d.at, d.person
""")

CLOSING = text("""
SELECT c.actor, c.person, c.at, c.edition, c.calendar, c.leave FROM settlement.window_closings c
WHERE c.window_no = :window_no
""")

# What held when the run was made and when it was submitted, what the window was closed by, and the set of rates the
# run converts by.
DOCUMENTS = text("""
WITH moments AS (
    SELECT created_at AS at FROM settlement.runs WHERE run_id = :run_id
    UNION SELECT at FROM settlement.run_transitions WHERE run_id = :run_id AND to_state IN ('SUBMITTED', 'APPROVED')
), held AS (
    SELECT DISTINCT ON (m.at, p.kind) p.proposal_id
    FROM moments m
    JOIN settlement.proposal_decisions d ON d.at <= m.at AND d.verdict = 'APPROVED'
    JOIN settlement.proposals p USING (proposal_id)
    WHERE NOT settlement.stands_alone(p.kind)
    ORDER BY m.at, p.kind, d.order_no DESC
)
SELECT p.proposal_id, p.kind, p.digest, p.at AS proposed_at, p.person AS proposed_person, d.at AS decided_at,
       d.person AS decided_person, d.digest AS decided_digest, p.content
FROM settlement.proposals p JOIN settlement.proposal_decisions d USING (proposal_id)
WHERE p.proposal_id IN (SELECT proposal_id FROM held) OR p.proposal_id IN (
    SELECT unnest(ARRAY[calendar, leave]) FROM settlement.window_closings WHERE window_no = :window_no)
    OR p.proposal_id IN (SELECT proposal_id FROM settlement.adjustments WHERE window_no = :window_no)
    OR p.proposal_id IN (SELECT proposal_id FROM settlement.dispute_transitions WHERE release_window = :window_no)
    OR p.kind = 'FX_SET' AND d.verdict = 'APPROVED' AND p.digest = (
        SELECT r.configuration::jsonb #>> '{fx,digest}' FROM settlement.runs r WHERE r.run_id = :run_id)
ORDER BY d.order_no
""")

RECOUNTS = text("""
SELECT c.run_id, c.run_digest, c.digest, c.transfers, c.obligations, c.passed, c.at, c.actor, c.person
FROM settlement.run_recounts c JOIN settlement.runs r USING (run_id)
WHERE r.window_no = :window_no ORDER BY c.order_no
""")

# That a checker looked at what payers have, and what he said of it.
LOOKS = text("""
SELECT l.run_id, l.person, l.at, l.missing::text AS missing, l.acknowledged
FROM settlement.liquidity_looks l JOIN settlement.runs r USING (run_id)
WHERE r.window_no = :window_no ORDER BY r.order_no, l.at, l.person
""")

# Claims against the window's own obligations, or that it nets again or adjusts.
_DISPUTED = """
    SELECT dispute_id FROM settlement.disputes WHERE window_no = :window_no
    UNION SELECT dispute_id FROM settlement.dispute_transitions WHERE release_window = :window_no
    UNION SELECT dispute_id FROM settlement.adjustments WHERE window_no = :window_no AND dispute_id IS NOT NULL
"""

DISPUTES = text(f"""
SELECT dispute_id, window_no, transfer_id, debtor, creditor, currency_code, minor_units, claimant, reason, statement,
       evidence, treatment, at, actor, person
FROM settlement.disputes WHERE dispute_id IN ({_DISPUTED}) ORDER BY order_no
""")

DISPUTE_STEPS = text(f"""
SELECT t.dispute_id, t.step_no, t.from_state, t.to_state, t.cause, t.at, t.actor, t.person, t.note, t.evidence,
       t.upheld_minor_units, t.release_window, t.proposal_id
FROM settlement.dispute_transitions t JOIN settlement.disputes d USING (dispute_id)
WHERE t.dispute_id IN ({_DISPUTED}) ORDER BY d.order_no, t.step_no
""")

ADJUSTMENTS = text("""
SELECT adjustment_id, debtor, creditor, currency_code, minor_units, cause, dispute_id, proposal_id, transfer_id, at,
       actor
FROM settlement.adjustments WHERE window_no = :window_no ORDER BY adjustment_id
""")

LEGS = text("""
SELECT leg_no, currency_code, payer, payee, minor_units FROM settlement.payment_legs
WHERE run_id = :run_id ORDER BY leg_no
""")

FILES = text("""
SELECT message_id, currency_code, batch_no, format, execution_date, created_at, created_by, created_person, payments,
       control_sum::text AS control_sum, operator_version, sha256
FROM settlement.payment_files WHERE run_id = :run_id ORDER BY currency_code, batch_no
""")

CONTENT = text("SELECT content FROM settlement.payment_files WHERE message_id = :message_id")

ATTEMPTS = text("""
SELECT end_to_end_id, leg_no, attempt, message_id, block_id, payer_version, payee_version
FROM settlement.payment_attempts WHERE run_id = :run_id ORDER BY leg_no, attempt
""")

EVENTS = text("""
SELECT e.end_to_end_id, e.from_state, e.to_state, e.at, e.booked_on, e.reason, e.source, e.actor
FROM settlement.payment_events e JOIN settlement.payment_attempts a USING (end_to_end_id)
WHERE a.run_id = :run_id ORDER BY e.event_no
""")

# Every version an attempt of the run was paid by.
ACCOUNTS = text("""
SELECT b.participant, b.currency_code, b.version, b.holder, b.iban, b.number, b.bic, b.clearing_system,
       b.clearing_member, b.set_at, b.set_person, c.confirmed_at, c.confirmed_person
FROM settlement.bank_details b JOIN settlement.bank_details_confirmations c USING (participant, currency_code, version)
WHERE (b.participant, b.currency_code, b.version) IN (
    SELECT l.payer, l.currency_code, a.payer_version
    FROM settlement.payment_attempts a JOIN settlement.payment_legs l USING (run_id, leg_no) WHERE a.run_id = :run_id
    UNION SELECT l.payee, l.currency_code, a.payee_version
    FROM settlement.payment_attempts a JOIN settlement.payment_legs l USING (run_id, leg_no) WHERE a.run_id = :run_id
    UNION SELECT :operator, f.currency_code, f.operator_version
    FROM settlement.payment_files f WHERE f.run_id = :run_id)
ORDER BY b.participant, b.currency_code, b.version
""")

# Messages with a line about a payment of the run, by itself or by somebody's finding.
_ABOUT = """
    SELECT l.sha256 FROM settlement.bank_lines l JOIN settlement.payment_attempts a USING (end_to_end_id)
    WHERE a.run_id = :run_id
    UNION SELECT x.sha256 FROM settlement.payment_exceptions x JOIN settlement.payment_attempts a USING (end_to_end_id)
    WHERE a.run_id = :run_id
    UNION SELECT x.sha256 FROM settlement.payment_exceptions x
    JOIN settlement.exception_resolutions r USING (exception_no)
    JOIN settlement.payment_attempts a ON a.end_to_end_id = r.end_to_end_id WHERE a.run_id = :run_id
"""

MESSAGES = text(f"""
SELECT sha256, name, bank_message_id, received_at, received_by FROM settlement.bank_messages
WHERE sha256 IN ({_ABOUT}) ORDER BY received_at, sha256
""")

MESSAGE_CONTENT = text("SELECT content FROM settlement.bank_messages WHERE sha256 = :sha256")

LINES = text(f"""
SELECT l.sha256, l.line_no, l.said, l.outcome, l.end_to_end_id, l.currency_code, l.amount, l.account, l.is_credit,
       l.booked_on, l.reference
FROM settlement.bank_lines l JOIN settlement.bank_messages m USING (sha256)
WHERE l.sha256 IN ({_ABOUT}) ORDER BY m.received_at, l.sha256, l.line_no
""")

EXCEPTIONS = text(f"""
SELECT exception_no, sha256, line_no, kind, end_to_end_id, raised_at FROM settlement.payment_exceptions
WHERE sha256 IN ({_ABOUT}) ORDER BY exception_no
""")

RESOLUTIONS = text(f"""
SELECT r.exception_no, r.end_to_end_id, r.note, r.resolved_at, r.resolved_by, r.resolved_person
FROM settlement.exception_resolutions r JOIN settlement.payment_exceptions x USING (exception_no)
WHERE x.sha256 IN ({_ABOUT}) ORDER BY r.exception_no
""")

_AGREED = """
JOIN settlement.proposals p ON p.proposal_id = own.proposal_id
JOIN settlement.proposal_decisions d ON d.proposal_id = own.proposal_id
"""

# Defaults on the window's run, each as two people approved it.
DEFAULTS = text(f"""
SELECT own.proposal_id, own.participant, own.run_id, own.at, p.digest, p.person AS proposed_person,
       d.person AS decided_person, p.content
FROM settlement.defaults own {_AGREED}
WHERE own.window_no = :window_no ORDER BY own.at, own.proposal_id
""")

DEFAULTED_PAYMENTS = text("""
SELECT leg_no, proposal_id, currency_code, payer, payee, minor_units FROM settlement.defaulted_legs
WHERE run_id = :run_id ORDER BY leg_no
""")

# In the order they were posted.
RECOVERIES = text(f"""
SELECT own.proposal_id, own.default_id, own.currency_code, own.minor_units, own.reference, own.value_date, own.at,
       p.digest, p.person AS proposed_person, d.person AS decided_person, p.content
FROM settlement.recoveries own {_AGREED}
JOIN settlement.defaults f ON f.proposal_id = own.default_id
WHERE f.window_no = :window_no
ORDER BY (SELECT min(posting_no) FROM settlement.funds_postings b WHERE b.proposal_id = own.proposal_id)
""")

WRITE_OFFS = text(f"""
SELECT own.proposal_id, own.default_id, own.currency_code, own.minor_units, own.at, p.digest,
       p.person AS proposed_person, d.person AS decided_person, p.content
FROM settlement.write_offs own {_AGREED}
JOIN settlement.defaults f ON f.proposal_id = own.default_id
WHERE f.window_no = :window_no
ORDER BY (SELECT min(posting_no) FROM settlement.funds_postings b WHERE b.proposal_id = own.proposal_id)
""")

DEFAULT_POSTINGS = text("""
SELECT b.posting_no, b.proposal_id, b.line_no, b.way, b.currency_code, b.debit_participant, b.debit_purpose,
       b.credit_participant, b.credit_purpose, b.minor_units, b.reference, b.value_date, b.at, b.person
FROM settlement.funds_postings b
WHERE b.proposal_id IN (
    SELECT proposal_id FROM settlement.defaults WHERE window_no = :window_no
    UNION ALL SELECT r.proposal_id FROM settlement.recoveries r
    JOIN settlement.defaults f ON f.proposal_id = r.default_id WHERE f.window_no = :window_no
    UNION ALL SELECT w.proposal_id FROM settlement.write_offs w
    JOIN settlement.defaults f ON f.proposal_id = w.default_id WHERE f.window_no = :window_no)
ORDER BY b.posting_no
""")
