"""Every statement of defaults."""

from sqlalchemy import text

DECLARED = text("SELECT run_id FROM settlement.defaults WHERE participant = :participant AND window_no = :window_no")

DECLARE = text("""
INSERT INTO settlement.defaults (participant, window_no, proposal_id, run_id, at)
VALUES (:participant, :window_no, :proposal_id, :run_id, exchange.coalition_now())
""")

DEFAULT_LEG = text("""
INSERT INTO settlement.defaulted_legs (run_id, leg_no, proposal_id, currency_code, payer, payee, minor_units)
VALUES (:run_id, :leg_no, :proposal_id, :currency_code, :payer, :payee, :minor_units)
""")

REDUCE_LEG = text("""
INSERT INTO settlement.leg_reductions (run_id, leg_no, proposal_id, currency_code, from_attempt, minor_units)
VALUES (:run_id, :leg_no, :proposal_id, :currency_code, :from_attempt, :minor_units)
""")

# What creditors are paid less of a run, with whose default it is for; leg_no 0: the operator keeps less, of no payment.
BORNE = text("""
SELECT s.proposal_id, s.currency_code, s.defaulter, s.participant, s.borne, s.at, coalesce(r.leg_no, 0) AS leg_no,
       coalesce(r.payer, s.defaulter) AS payer, s.repaid, s.written_off
FROM settlement.default_stakes s
LEFT JOIN (
    SELECT r.leg_no, r.proposal_id, l.currency_code, l.payer, l.payee
    FROM settlement.leg_reductions r JOIN settlement.legs_asked(:run_id) l USING (leg_no) WHERE r.run_id = :run_id) r
  ON (r.proposal_id, r.currency_code, r.payee) = (s.proposal_id, s.currency_code, s.participant)
WHERE s.run_id = :run_id AND s.turn = 2 ORDER BY s.at, s.proposal_id, s.currency_code, s.participant
""")

LEGS = text("""
SELECT leg_no, proposal_id, currency_code, payer, payee, minor_units FROM settlement.defaulted_legs
WHERE run_id = :run_id ORDER BY leg_no
""")

# Who bears what of defaults, in the order they are repaid. NULL stands for any.
STAKES = text("""
SELECT proposal_id, defaulter, window_no, currency_code, loss, turn, participant, purpose, borne, repaid, written_off
FROM settlement.default_stakes
WHERE (CAST(:participant AS text) IS NULL OR defaulter = :participant)
  AND (CAST(:window_no AS bigint) IS NULL OR window_no = :window_no)
ORDER BY at, proposal_id, currency_code, turn, participant
""")

RECOVERIES = text("""
SELECT r.proposal_id, r.default_id, r.currency_code, r.minor_units,
       coalesce((SELECT sum((one ->> 'minor_units')::bigint)
                 FROM jsonb_array_elements(p.content::jsonb -> 'revived') one), 0)::bigint AS revived
FROM settlement.recoveries r
JOIN settlement.defaults f ON f.proposal_id = r.default_id
JOIN settlement.proposals p ON p.proposal_id = r.proposal_id
WHERE f.run_id = :run_id ORDER BY r.proposal_id
""")

WRITE_OFFS = text("""
SELECT w.proposal_id, w.default_id, w.currency_code, w.minor_units
FROM settlement.write_offs w JOIN settlement.defaults f ON f.proposal_id = w.default_id
WHERE f.run_id = :run_id ORDER BY w.proposal_id
""")

WRITE_OFF = text("""
INSERT INTO settlement.write_offs (proposal_id, default_id, currency_code, minor_units, at)
VALUES (:proposal_id, :default_id, :currency_code, :minor_units, exchange.coalition_now())
""")

RECOVER = text("""
INSERT INTO settlement.recoveries (proposal_id, default_id, currency_code, minor_units, reference, value_date, at)
VALUES (:proposal_id, :default_id, :currency_code, :minor_units, :reference, :value_date, exchange.coalition_now())
""")
