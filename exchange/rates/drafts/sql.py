"""Every statement of the drafts."""

from sqlalchemy import text

ADD_DRAFT = text("""
INSERT INTO exchange.rate_drafts (draft_id, merchant_no, proposed_by, proposed_person, note, proposed_at, digest, state)
VALUES (:draft_id, :merchant_no, :proposed_by, :proposed_person, :note, exchange.coalition_now(), :digest, :state)
""")

ADD_PROPOSAL = text("""
INSERT INTO exchange.drafted_rates (draft_id, place, rate_id, source_no, target_no, source_units, target_units,
    block_units, minimum_units, maximum_units, bonus_every_units, bonus_units, fee_micros, fee_per_point_micros,
    fee_cap_micros, member_daily_cap_units, begins_at, ends_at, tier, supersedes)
VALUES (:draft_id, :place, :rate_id, :source_no, :target_no, :source_units, :target_units, :block_units,
    :minimum_units, :maximum_units, :bonus_every_units, :bonus_units, :fee_micros, :fee_per_point_micros,
    :fee_cap_micros, :member_daily_cap_units, :begins_at, :ends_at, :tier, :supersedes)
""")

# Of an approved draft the rates as they were published; of any other one as they were proposed.
PROPOSALS = text("""
SELECT d.draft_id, d.begins_at, d.rate_id, d.source_no, d.target_no, d.source_units, d.target_units, d.block_units,
       d.minimum_units, d.maximum_units, d.bonus_every_units, d.bonus_units, d.fee_micros, d.fee_per_point_micros,
       d.fee_cap_micros, d.member_daily_cap_units, coalesce(r.effective_at, d.begins_at, 'epoch'), d.ends_at,
       coalesce(r.published_at, 'epoch'), d.tier, d.supersedes, r.draft_id
FROM exchange.drafted_rates d LEFT JOIN exchange.rates r USING (rate_id)
WHERE d.draft_id = ANY(:draft_ids)
ORDER BY d.draft_id, d.place
""")

_DRAFT = """
SELECT draft_id, merchant_no, proposed_by, proposed_person, note, proposed_at, digest, state, decided_by,
       decided_person, decided_at, reason
FROM exchange.rate_drafts
"""

DRAFT = text(_DRAFT + "WHERE draft_id = :draft_id")

# Whoever decides a draft holds its row: approving and withdrawing at once, one of the two comes first.
DRAFT_TO_DECIDE = text(_DRAFT + "WHERE draft_id = :draft_id FOR UPDATE")

DRAFTS = text(
    _DRAFT
    + """
WHERE draft_id > :after AND (CAST(:merchant_no AS integer) IS NULL OR merchant_no = :merchant_no)
  AND (:state = 0 OR state = :state)
ORDER BY draft_id LIMIT :limit
"""
)

WAITING = text("""
SELECT count(*) FROM exchange.rate_drafts
WHERE merchant_no IS NOT DISTINCT FROM CAST(:merchant_no AS integer) AND state = ANY(:states)
""")

SET_STATE = text("UPDATE exchange.rate_drafts SET state = :state WHERE draft_id = :draft_id")

DECIDE = text("""
UPDATE exchange.rate_drafts
SET state = :state, decided_by = :decided_by, decided_person = :decided_person,
    decided_at = exchange.coalition_now(), reason = :reason
WHERE draft_id = :draft_id
""")
