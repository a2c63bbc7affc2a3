"""Every statement of payments and of what banks answer."""

from sqlalchemy import text

ADD_LEG = text("""
INSERT INTO settlement.payment_legs (run_id, leg_no, window_no, currency_code, payer, payee, minor_units)
VALUES (:run_id, :leg_no, :window_no, :currency_code, :payer, :payee, :minor_units)
""")

ADD_FILE = text("""
INSERT INTO settlement.payment_files (message_id, run_id, currency_code, batch_no, format, execution_date, created_at,
    created_by, created_person, payments, control_sum, operator_version, sha256, content)
VALUES (:message_id, :run_id, :currency_code, :batch_no, :format, :execution_date, :created_at, :created_by,
    :created_person, :payments, :control_sum, :operator_version, :sha256, :content)
""")

ADD_ATTEMPT = text("""
INSERT INTO settlement.payment_attempts (end_to_end_id, run_id, leg_no, attempt, currency_code, message_id, block_id,
    payer_version, payee_version)
VALUES (:end_to_end_id, :run_id, :leg_no, :attempt, :currency_code, :message_id, :block_id, :payer_version,
    :payee_version)
""")

ADD_EVENT = text("""
INSERT INTO settlement.payment_events (end_to_end_id, from_state, to_state, at, booked_on, reason, source, actor)
VALUES (:end_to_end_id, :from_state, :to_state, exchange.coalition_now(), :booked_on, :reason, :source, :actor)
""")

_FILE = """message_id, run_id, currency_code, batch_no, format, execution_date, created_at, created_by, created_person,
       payments, control_sum::text AS control_sum, operator_version, sha256, length(content) AS bytes"""

FILES = text(f"SELECT {_FILE} FROM settlement.payment_files WHERE run_id = :run_id ORDER BY currency_code, batch_no")

FILE = text(f"SELECT {_FILE} FROM settlement.payment_files WHERE message_id = :message_id")

CONTENT = text("SELECT content FROM settlement.payment_files WHERE message_id = :message_id")

# What an attempt asks for: the leg, less what its payee bore of defaults by then.
_ASKED = """(l.minor_units - coalesce((SELECT sum(r.minor_units) FROM settlement.leg_reductions r
        WHERE (r.run_id, r.leg_no) = (l.run_id, l.leg_no) AND r.from_attempt <= a.attempt), 0))::bigint"""

# Others may stand in for a leg, and its payee bear some of it.
_ON_DEFAULTS = """
LEFT JOIN settlement.defaulted_legs d ON (d.run_id, d.leg_no) = (:run_id, l.leg_no)
LEFT JOIN LATERAL (SELECT missing FROM settlement.default_claims c
                   WHERE (c.proposal_id, c.currency_code) = (d.proposal_id, d.currency_code)) c ON true
CROSS JOIN LATERAL (SELECT coalesce(sum(r.minor_units), 0)::bigint AS borne FROM settlement.leg_reductions r
                    WHERE (r.run_id, r.leg_no) = (:run_id, l.leg_no)) r
"""

_STATE = """CASE WHEN d.leg_no IS NULL AND r.borne = l.minor_units THEN 'BORNE' WHEN d.leg_no IS NULL THEN {otherwise}
            WHEN c.missing = 0 THEN 'COVERED' ELSE 'UNCOVERED' END"""

# Each leg with its newest attempt, or without one.
LEGS = text(f"""
SELECT l.run_id, l.leg_no, l.window_no, l.currency_code, l.payer, l.payee, l.minor_units, a.attempt, a.end_to_end_id,
       a.message_id, e.booked_on, coalesce(e.reason, '') AS reason, e.at, r.borne,
       {_STATE.format(otherwise="coalesce(a.state, 'CREATED')")} AS state
FROM settlement.payment_legs l
{_ON_DEFAULTS}
LEFT JOIN LATERAL (SELECT * FROM settlement.payment_attempts a
                   WHERE (a.run_id, a.leg_no) = (l.run_id, l.leg_no) ORDER BY a.attempt DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT * FROM settlement.payment_events e
                   WHERE e.end_to_end_id = a.end_to_end_id ORDER BY e.event_no DESC LIMIT 1) e ON true
WHERE l.run_id = :run_id ORDER BY l.leg_no
""")

# The same before it was instructed: what the run asks for.
LEGS_ASKED = text(f"""
SELECT l.leg_no::integer AS leg_no, l.currency_code, l.payer, l.payee, l.minor_units, 0 AS attempt,
       '' AS end_to_end_id, '' AS message_id, NULL::date AS booked_on, '' AS reason, r.borne,
       {_STATE.format(otherwise="'CREATED'")} AS state
FROM settlement.legs_asked(:run_id) l
{_ON_DEFAULTS}
ORDER BY l.leg_no
""")

ATTEMPTS = text(f"""
SELECT a.end_to_end_id, a.run_id, a.attempt, l.window_no, l.currency_code, l.payer, l.payee, {_ASKED} AS minor_units
FROM settlement.payment_attempts a JOIN settlement.payment_legs l USING (run_id, leg_no)
WHERE a.end_to_end_id = ANY(:names)
""")

EVENTS = text(f"""
SELECT a.leg_no, a.attempt, l.currency_code, l.payer, l.payee, {_ASKED} AS minor_units, e.end_to_end_id, e.from_state,
       e.to_state, e.at, e.booked_on, e.reason, e.source, e.actor
FROM settlement.payment_events e
JOIN settlement.payment_attempts a USING (end_to_end_id)
JOIN settlement.payment_legs l USING (run_id, leg_no)
WHERE a.run_id = :run_id ORDER BY e.event_no
""")

_SENT = f"""
SELECT a.end_to_end_id, a.run_id, a.message_id, a.block_id, a.state, l.currency_code, {_ASKED} AS minor_units,
       f.execution_date,
       coalesce(nullif(payer.iban, ''), payer.number) AS payer_account,
       coalesce(nullif(payee.iban, ''), payee.number) AS payee_account
FROM settlement.payment_attempts a
JOIN settlement.payment_legs l USING (run_id, leg_no)
JOIN settlement.payment_files f USING (message_id)
JOIN settlement.bank_details payer
  ON (payer.participant, payer.currency_code, payer.version) = (l.payer, l.currency_code, a.payer_version)
JOIN settlement.bank_details payee
  ON (payee.participant, payee.currency_code, payee.version) = (l.payee, l.currency_code, a.payee_version)
"""

STATE = text("SELECT state FROM settlement.payment_attempts WHERE end_to_end_id = :end_to_end_id")

# Whatever a message may be about: what it names, and what is still under way.
SENT = text(f"""
{_SENT} WHERE a.end_to_end_id = ANY(:payments) OR a.message_id = ANY(:files) OR a.state IN ('EXPORTED', 'ACCEPTED')
ORDER BY a.run_id, a.leg_no, a.attempt
""")

BOOKINGS = text("""
SELECT coalesce(r.end_to_end_id, l.end_to_end_id) AS end_to_end_id, l.account, l.is_credit, l.booked_on, l.reference
FROM settlement.bank_lines l
LEFT JOIN settlement.payment_exceptions x USING (sha256, line_no)
LEFT JOIN settlement.exception_resolutions r USING (exception_no)
JOIN settlement.bank_messages m USING (sha256)
WHERE l.account IS NOT NULL AND (l.outcome <> 'EXCEPTION' OR r.end_to_end_id IS NOT NULL)
  AND coalesce(r.end_to_end_id, l.end_to_end_id) = ANY(:payments)
ORDER BY m.received_at, l.sha256, l.line_no
""")

MESSAGE = text("SELECT sha256, name, bank_message_id, received_at FROM settlement.bank_messages WHERE sha256 = :sha256")

ADD_MESSAGE = text("""
INSERT INTO settlement.bank_messages (sha256, name, bank_message_id, received_at, received_by, content)
VALUES (:sha256, :name, :bank_message_id, exchange.coalition_now(), :received_by, :content)
""")

ADD_LINE = text("""
INSERT INTO settlement.bank_lines (sha256, line_no, said, outcome, end_to_end_id, currency_code, amount, account,
    is_credit, booked_on, reference)
VALUES (:sha256, :line_no, :said, :outcome, :end_to_end_id, :currency_code, :amount, :account, :is_credit, :booked_on,
    :reference)
""")

COUNTS = text("""
SELECT outcome, count(*) AS lines FROM settlement.bank_lines WHERE sha256 = :sha256 GROUP BY outcome
""")

ADD_EXCEPTION = text("""
INSERT INTO settlement.payment_exceptions (sha256, line_no, kind, end_to_end_id, raised_at)
VALUES (:sha256, :line_no, :kind, :end_to_end_id, exchange.coalition_now()) RETURNING exception_no
""")

_EXCEPTION = """
SELECT x.exception_no, x.kind, x.end_to_end_id, x.raised_at, x.sha256, x.line_no, m.name AS message, m.bank_message_id,
       l.said, l.currency_code, l.amount, l.account, l.is_credit, l.booked_on, l.reference,
       r.end_to_end_id AS matched_to, r.note, r.resolved_at, r.resolved_by
FROM settlement.payment_exceptions x
JOIN settlement.bank_lines l USING (sha256, line_no)
JOIN settlement.bank_messages m USING (sha256)
LEFT JOIN settlement.exception_resolutions r USING (exception_no)
"""

EXCEPTION = text(f"{_EXCEPTION} WHERE x.exception_no = :exception_no")

EXCEPTIONS = text(f"""
{_EXCEPTION}
WHERE x.exception_no > :after AND (:all OR r.exception_no IS NULL) ORDER BY x.exception_no LIMIT :limit
""")

RESOLVE = text("""
INSERT INTO settlement.exception_resolutions (exception_no, end_to_end_id, note, resolved_at, resolved_by,
    resolved_person)
VALUES (:exception_no, :end_to_end_id, :note, exchange.coalition_now(), :resolved_by, :resolved_person)
""")

EXPORTER = text("""
SELECT f.created_person FROM settlement.payment_attempts a JOIN settlement.payment_files f USING (message_id)
WHERE a.end_to_end_id = :end_to_end_id
""")
