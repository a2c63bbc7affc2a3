"""Every statement of the rates."""

from sqlalchemy import text

RATES = text("""
SELECT rate_id, source_no, target_no, source_units, target_units, block_units, minimum_units, maximum_units,
       bonus_every_units, bonus_units, fee_micros, fee_per_point_micros, fee_cap_micros, member_daily_cap_units,
       effective_at, ends_at, published_at
FROM exchange.rates
""")

ADD_RATE = text("""
INSERT INTO exchange.rates (rate_id, source_no, target_no, source_units, target_units, block_units, minimum_units,
    maximum_units, bonus_every_units, bonus_units, fee_micros, fee_per_point_micros, fee_cap_micros,
    member_daily_cap_units, effective_at, ends_at, published_at)
VALUES (:rate_id, :source_no, :target_no, :source_units, :target_units, :block_units, :minimum_units,
    :maximum_units, :bonus_every_units, :bonus_units, :fee_micros, :fee_per_point_micros, :fee_cap_micros,
    :member_daily_cap_units, :effective_at, :ends_at, :published_at)
""")

END_RATE = text("UPDATE exchange.rates SET ends_at = :ends_at WHERE rate_id = :rate_id")
