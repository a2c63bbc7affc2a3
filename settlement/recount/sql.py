"""Every statement of recounts."""

from sqlalchemy import text

# Whether it passed is for the database to say: it holds what was counted against the run's own pairs itself.
ADD = text("""
INSERT INTO settlement.run_recounts (run_id, run_digest, document, digest, transfers, obligations, at, actor, person)
VALUES (:run_id, :run_digest, :document, :digest, :transfers, :obligations, exchange.coalition_now(), :actor, :person)
RETURNING passed, at
""")

IS_RECOUNTED = text("SELECT settlement.is_recounted(:run_id)")
