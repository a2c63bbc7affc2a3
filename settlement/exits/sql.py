"""Every statement of exits."""

from sqlalchemy import text

EXITED = text("SELECT 1 FROM settlement.exits WHERE participant = :participant")

LEAVE = text("""
INSERT INTO settlement.exits (participant, proposal_id, at)
VALUES (:participant, :proposal_id, exchange.coalition_now())
""")

# Payments of instructed runs, each leg that no bank has booked.
UNPAID_LEGS = text("""
SELECT l.window_no, l.currency_code, l.payer, l.payee, l.minor_units - r.borne AS minor_units
FROM settlement.payment_legs l
CROSS JOIN LATERAL (SELECT coalesce(sum(r.minor_units), 0)::bigint AS borne FROM settlement.leg_reductions r
                    WHERE (r.run_id, r.leg_no) = (l.run_id, l.leg_no)) r
WHERE l.run_id = :run_id AND l.minor_units > r.borne AND NOT EXISTS (
    SELECT FROM settlement.payment_attempts a WHERE (a.run_id, a.leg_no, a.state) = (l.run_id, l.leg_no, 'SETTLED'))
  AND NOT EXISTS (
    SELECT FROM settlement.defaulted_legs d JOIN settlement.default_claims c USING (proposal_id, currency_code)
    WHERE (d.run_id, d.leg_no) = (l.run_id, l.leg_no) AND c.missing = 0)
""")

# In the order they were opened.
DISPUTES = text("""
SELECT dispute_id, currency_code, debtor, creditor, minor_units FROM settlement.disputes
WHERE :participant IN (debtor, creditor) AND settlement.dispute_state(dispute_id) IN ('OPEN', 'CONTESTED')
ORDER BY order_no
""")

# Of windows after the newest that a run has netted.
ADJUSTMENTS = text("""
SELECT adjustment_id, window_no, currency_code, debtor, creditor, minor_units FROM settlement.adjustments
WHERE :participant IN (debtor, creditor) AND window_no > :after ORDER BY order_no
""")

WAITING = text("""
SELECT p.proposal_id FROM settlement.proposals p LEFT JOIN settlement.proposal_decisions d USING (proposal_id)
WHERE d.verdict IS NULL AND (
    p.kind IN ('FUNDS_MOVEMENT', 'DEFAULT_DECLARATION', 'DEFAULT_RECOVERY', 'DEFAULT_WRITE_OFF')
        AND p.content::jsonb ->> 'participant' = :participant
    OR p.kind = 'ADJUSTMENT' AND :participant IN (p.content::jsonb ->> 'debtor', p.content::jsonb ->> 'creditor'))
""")
