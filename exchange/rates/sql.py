"""Every statement of the rates."""

from sqlalchemy import text

PUBLISHING = 0x72_61_74_65_73
"""Advisory lock: one publication at a time. Taken before the fence, so that nobody stops posting for the proof."""

ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock({PUBLISHING})")

RATES = text("""
SELECT rate_id, source_no, target_no, source_units, target_units, block_units, minimum_units, maximum_units,
       bonus_every_units, bonus_units, fee_micros, fee_per_point_micros, fee_cap_micros, member_daily_cap_units,
       effective_at, ends_at, published_at, tier, supersedes, draft_id, revoked_at
FROM exchange.rates
""")

ADD_RATE = text("""
INSERT INTO exchange.rates (rate_id, source_no, target_no, source_units, target_units, block_units, minimum_units,
    maximum_units, bonus_every_units, bonus_units, fee_micros, fee_per_point_micros, fee_cap_micros,
    member_daily_cap_units, effective_at, ends_at, published_at, tier, supersedes, draft_id)
VALUES (:rate_id, :source_no, :target_no, :source_units, :target_units, :block_units, :minimum_units,
    :maximum_units, :bonus_every_units, :bonus_units, :fee_micros, :fee_per_point_micros, :fee_cap_micros,
    :member_daily_cap_units, :effective_at, :ends_at, :published_at, :tier, :supersedes, :draft_id)
""")

END_RATE = text("UPDATE exchange.rates SET ends_at = :ends_at WHERE rate_id = :rate_id")

REVOKE_RATE = text("""
UPDATE exchange.rates SET ends_at = :ends_at, revoked_at = :revoked_at WHERE rate_id = :rate_id
""")

# ------------------------------------------------------------------------------------------------ bounds
# Each change is a row of its own; the newest holds.
BOUNDS = text("""
SELECT bonus_bps_max, margin_bps_max, change_bps_max, fee_micros_max, fee_per_point_micros_max, notice_seconds_min
FROM exchange.rate_bounds ORDER BY bounds_no DESC LIMIT 1
""")

ADD_BOUNDS = text("""
INSERT INTO exchange.rate_bounds (bonus_bps_max, margin_bps_max, change_bps_max, fee_micros_max,
    fee_per_point_micros_max, notice_seconds_min, set_at)
VALUES (:bonus_bps_max, :margin_bps_max, :change_bps_max, :fee_micros_max, :fee_per_point_micros_max,
    :notice_seconds_min, exchange.coalition_now())
""")
