"""Every statement of defaults."""

from sqlalchemy import text

DECLARED = text("SELECT 1 FROM settlement.defaults WHERE participant = :participant AND window_no = :window_no")

DECLARE = text("""
INSERT INTO settlement.defaults (participant, window_no, proposal_id, run_id, at)
VALUES (:participant, :window_no, :proposal_id, :run_id, exchange.coalition_now())
""")
