"""Statements of notices."""

from sqlalchemy import text

TODAY = text("SELECT (exchange.coalition_now() AT TIME ZONE time_zone)::date FROM exchange.coalition")

# Locked until the plan is committed: whoever comes second finds the day told of.
LOCK_MARK = text("SELECT noticed_through FROM exchange.notice_marks WHERE days = :days FOR UPDATE")

SET_MARK = text("UPDATE exchange.notice_marks SET noticed_through = :through WHERE days = :days")

# One notice for all that a member has of a currency that ends on one day. A lot that ends at midnight ends with the day
# before. What was awarded when the mark had passed is not told of under it: the member has just been told. The second
# half is of accounts that end by inactivity: there what was done last stands for the award.
PLAN = text("""
INSERT INTO exchange.notices_to_make (days, bucket, member_id, currency_no, units, ends_at)
SELECT CAST(:days AS smallint), l.bucket, l.member_id, l.currency_no, sum(l.remaining_units), min(l.expires_at)
FROM exchange.coalition c
JOIN exchange.lots l
  ON l.is_open
 AND l.expires_at > (CAST(:after AS date) + 1)::timestamp AT TIME ZONE c.time_zone
 AND l.expires_at <= (CAST(:last AS date) + 1)::timestamp AT TIME ZONE c.time_zone
CROSS JOIN LATERAL (
    SELECT ((l.expires_at - interval '1 microsecond') AT TIME ZONE c.time_zone)::date AS on_day
) ends
WHERE l.earned_at < (ends.on_day - :days)::timestamp AT TIME ZONE c.time_zone
GROUP BY l.bucket, l.member_id, l.currency_no, ends.on_day
UNION ALL
SELECT CAST(:days AS smallint), e.bucket, e.member_id, e.currency_no, a.available_units + a.overdrawn_units, e.ends_at
FROM exchange.coalition c
JOIN exchange.account_ends e
  ON e.is_open
 AND e.ends_at > (CAST(:after AS date) + 1)::timestamp AT TIME ZONE c.time_zone
 AND e.ends_at <= (CAST(:last AS date) + 1)::timestamp AT TIME ZONE c.time_zone
JOIN exchange.accounts a USING (bucket, member_id, currency_no)
JOIN exchange.currencies k USING (currency_no)
CROSS JOIN LATERAL (
    SELECT ((e.ends_at - interval '1 microsecond') AT TIME ZONE c.time_zone)::date AS on_day
) ends
WHERE a.available_units + a.overdrawn_units > 0
  AND e.ends_at - make_interval(days => k.expiry_days)
      < (ends.on_day - :days)::timestamp AT TIME ZONE c.time_zone
""")

# Each taken by one run only, and gone for good when its event has been committed.
TAKE = text("""
WITH taken AS (
    DELETE FROM exchange.notices_to_make WHERE notice_no IN (
        SELECT notice_no FROM exchange.notices_to_make ORDER BY notice_no LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING notice_no, days, bucket, member_id, currency_no, units, ends_at
)
SELECT t.days, t.member_id, c.code, c.issuer_no, t.units, t.ends_at,
       coalesce(jsonb_object_agg(k.merchant_no, k.reference) FILTER (WHERE k.merchant_no IS NOT NULL), '{}') AS links
FROM taken t
JOIN exchange.currencies c USING (currency_no)
LEFT JOIN exchange.member_links k ON k.bucket = t.bucket AND k.member_id = t.member_id
GROUP BY t.notice_no, t.days, t.member_id, c.code, c.issuer_no, t.units, t.ends_at
ORDER BY t.notice_no
""")
