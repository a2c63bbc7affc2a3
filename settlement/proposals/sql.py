"""Every statement of proposals."""

from sqlalchemy import text

COLUMNS = """
SELECT p.proposal_id, p.kind, p.content, p.digest, p.replaces, p.order_no,
       p.at, p.actor, p.person, p.reason,
       d.verdict, d.at AS decided_at, d.actor AS decided_actor, d.person AS decided_person, d.reason AS decided_reason,
       CASE WHEN p.kind = 'FX_SET' THEN p.proposal_id = settlement.fx_set_in_force(p.content::jsonb ->> 'name')
            ELSE p.proposal_id = settlement.in_force(p.kind) END AS in_force
FROM settlement.proposals p LEFT JOIN settlement.proposal_decisions d USING (proposal_id)
"""

PROPOSAL = text(f"{COLUMNS} WHERE p.proposal_id = :proposal_id")

STANDING = text(f"{COLUMNS} WHERE p.proposal_id = settlement.in_force(:kind)")

# Newest first. NULL stands for any kind.
PAGE = text(f"""{COLUMNS}
WHERE p.order_no < :before AND (CAST(:kind AS text) IS NULL OR p.kind = :kind)
  AND (NOT :waiting OR d.verdict IS NULL)
ORDER BY p.order_no DESC LIMIT :limit
""")

SAME_WAITING = text(f"""{COLUMNS}
WHERE p.kind = :kind AND p.digest = :digest AND p.person = :person AND p.replaces IS NOT DISTINCT FROM :replaces
  AND d.verdict IS NULL
ORDER BY p.order_no DESC LIMIT 1
""")

PROPOSE = text("""
INSERT INTO settlement.proposals (proposal_id, kind, content, digest, replaces, at, actor, person, reason)
VALUES (:proposal_id, :kind, :content, :digest, :replaces, exchange.coalition_now(), :actor, :person, :reason)
""")

DECIDE = text("""
INSERT INTO settlement.proposal_decisions (proposal_id, verdict, digest, at, actor, person, reason)
VALUES (:proposal_id, :verdict, :digest, exchange.coalition_now(), :actor, :person, :reason)
""")

# Leave to close a window off the calendar, if it was ever given.
LEAVE = text(f"""{COLUMNS}
WHERE p.kind = 'SPECIAL_CLOSING' AND d.verdict = 'APPROVED' AND (p.content::jsonb ->> 'window_no')::bigint = :window_no
ORDER BY d.order_no DESC LIMIT 1
""")

# The newest version of a set of rates that was approved.
FX_SET = text(f"{COLUMNS} WHERE p.proposal_id = settlement.fx_set_in_force(:name)")
