"""Every statement of the funds book."""

from sqlalchemy import text

# Each account on its own side: what there is at a bank, what is owed to whoever it is kept for.
BOOK = text("""
SELECT currency_code, participant, purpose, minor_units::text AS minor_units FROM settlement.funds_balances
ORDER BY currency_code, participant, purpose
""")

ADD = text("""
INSERT INTO settlement.funds_postings (proposal_id, line_no, way, currency_code, debit_participant, debit_purpose,
    credit_participant, credit_purpose, minor_units, reference, value_date, at, actor, person)
VALUES (:proposal_id, :line_no, :way, :currency_code, :debit_participant, :debit_purpose, :credit_participant,
    :credit_purpose, :minor_units, :reference, :value_date, exchange.coalition_now(), :actor, :person)
""")

REFERENCE = text("""
SELECT 1 FROM settlement.funds_postings
WHERE currency_code = :currency_code AND reference = :reference AND way IN ('DEPOSIT', 'WITHDRAWAL', 'RECOVERY')
""")

LEFT = text("SELECT 1 FROM settlement.exits WHERE participant = :participant")

PAGE = text("""
SELECT posting_no, proposal_id, way, currency_code, debit_participant, debit_purpose, credit_participant,
       credit_purpose, minor_units, reference, value_date, at, actor, person
FROM settlement.funds_postings
WHERE posting_no < :before
  AND (CAST(:participant AS text) IS NULL OR debit_participant = :participant OR credit_participant = :participant)
ORDER BY posting_no DESC LIMIT :limit
""")

# Runs whose payments are still to be made, and the newest of all, whose carried items wait.
UNPAID_RUNS = text("""
WITH standing AS (
    SELECT run_id, window_no, settlement.state_of(run_id) AS state FROM settlement.runs
), live AS (SELECT * FROM standing WHERE settlement.is_live(state))
SELECT run_id, window_no, state FROM live
WHERE state <> 'SETTLED' OR window_no = (SELECT max(window_no) FROM live) ORDER BY window_no
""")

UNPAID_LEGS = text("""
SELECT l.currency_code, l.payer, sum(l.minor_units)::text AS minor_units
FROM settlement.payment_legs l
WHERE l.run_id = :run_id AND NOT EXISTS (
    SELECT FROM settlement.payment_attempts a WHERE (a.run_id, a.leg_no, a.state) = (l.run_id, l.leg_no, 'SETTLED'))
  AND NOT EXISTS (SELECT FROM settlement.defaulted_legs d WHERE (d.run_id, d.leg_no) = (l.run_id, l.leg_no))
GROUP BY l.currency_code, l.payer
""")

# Payments others stand in for: the defaulter owes what is still claimed of it, and no more.
DEFAULTED = text("""
SELECT currency_code, payer, payee, minor_units FROM settlement.defaulted_legs WHERE run_id = :run_id
""")

CLAIMED = text("""
SELECT currency_code, defaulter, sum(remaining)::text AS minor_units FROM settlement.default_claims
GROUP BY currency_code, defaulter
""")

LOOK = text("""
INSERT INTO settlement.liquidity_looks (run_id, person, at, missing, acknowledged)
VALUES (:run_id, :person, exchange.coalition_now(), :missing, :acknowledged)
""")
