"""Statements of the board that are its own."""

from sqlalchemy import text

# Open, never run, run in vain, or not paid to the end. A run that instructed nothing is settled at once.
UNFINISHED = text("""
SELECT w.window_no, w.opened_at, w.closed_at, r.run_id,
       ARRAY(SELECT settlement.makers_of(r.run_id) ORDER BY 1) AS makers
FROM exchange.clearing_windows_v1 w
LEFT JOIN LATERAL (SELECT run_id FROM settlement.runs r WHERE r.window_no = w.window_no
                   ORDER BY order_no DESC LIMIT 1) r ON true
WHERE r.run_id IS NULL OR settlement.state_of(r.run_id) <> 'SETTLED'
ORDER BY w.window_no
""")

CLAIMS = text("""
SELECT max(at) AS at FROM settlement.default_claims WHERE remaining > 0 GROUP BY proposal_id
""")

DISPUTES = text("""
SELECT d.at FROM settlement.disputes d WHERE NOT EXISTS (
    SELECT FROM settlement.dispute_transitions t WHERE t.dispute_id = d.dispute_id AND t.release_window IS NOT NULL)
""")
