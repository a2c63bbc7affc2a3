"""Every statement of the directory."""

from sqlalchemy import text

NEXT_VERSION = text(
    "UPDATE exchange.coalition SET directory_version = directory_version + 1 RETURNING directory_version"
)

VERSION = text("SELECT directory_version FROM exchange.coalition")

COALITION = text("SELECT operator_no, time_zone, directory_version FROM exchange.coalition")

MERCHANTS = text("""
SELECT merchant_no, merchant_id, display_name, roles, cash_agent, suspended, created_at,
       EXISTS (SELECT FROM exchange.departures d WHERE d.merchant_no = m.merchant_no) AS has_left
FROM exchange.merchants m ORDER BY merchant_id
""")

CURRENCIES = text("""
SELECT currency_no, code, issuer_no, display_name, settlement_currency, expiry_kind, expiry_days, breakage_share_bps,
       negative_balances, suspended, created_at, fiscal_year_end_month, fiscal_year_end_day, grace_months
FROM exchange.currencies ORDER BY code
""")

PRICES = text("""
SELECT currency_no, effective_at, price_no, issue_micros, redeem_micros, conversion_in_micros, conversion_out_micros,
       cash_out_micros, cash_out_fee_bps, published_at
FROM exchange.prices ORDER BY currency_no, effective_at
""")

CREDENTIALS = text("""
SELECT secret_hash, key_id, caller_role, merchant_no, display_name, expires_at, revoked_at, created_at, holder
FROM exchange.api_keys ORDER BY key_id
""")

EXTERNAL_LEDGERS = text("SELECT currency_no, answer_seconds FROM exchange.external_ledgers")

ADD_MERCHANT = text("""
INSERT INTO exchange.merchants (merchant_id, display_name, roles, cash_agent, created_at)
VALUES (:merchant_id, :display_name, :roles, :cash_agent, exchange.coalition_now())
ON CONFLICT DO NOTHING RETURNING merchant_no
""")

SET_ROLES = text("UPDATE exchange.merchants SET roles = :roles, cash_agent = :cash_agent WHERE merchant_no = :number")

SUSPEND_MERCHANT = text("UPDATE exchange.merchants SET suspended = :suspended WHERE merchant_no = :number")

DEPART = text("""
INSERT INTO exchange.departures (merchant_no, at)
SELECT merchant_no, exchange.coalition_now() FROM exchange.merchants WHERE merchant_id = :merchant_id
""")

ADD_CURRENCY = text("""
INSERT INTO exchange.currencies (code, issuer_no, display_name, settlement_currency, expiry_kind, expiry_days,
    breakage_share_bps, negative_balances, fiscal_year_end_month, fiscal_year_end_day, grace_months, created_at)
VALUES (:code, :issuer_no, :display_name, :settlement_currency, :expiry_kind, :expiry_days, :breakage_share_bps,
    :negative_balances, :fiscal_year_end_month, :fiscal_year_end_day, :grace_months, exchange.coalition_now())
ON CONFLICT DO NOTHING RETURNING currency_no
""")

SUSPEND_CURRENCY = text("UPDATE exchange.currencies SET suspended = :suspended WHERE currency_no = :number")

ADD_PRICE = text("""
INSERT INTO exchange.prices (currency_no, price_no, effective_at, issue_micros, redeem_micros, conversion_in_micros,
    conversion_out_micros, cash_out_micros, cash_out_fee_bps, published_at)
SELECT :currency_no, 1 + coalesce(max(price_no), 0), :effective_at, :issue_micros, :redeem_micros,
    :conversion_in_micros, :conversion_out_micros, :cash_out_micros, :cash_out_fee_bps, exchange.coalition_now()
FROM exchange.prices WHERE currency_no = :currency_no
ON CONFLICT DO NOTHING RETURNING price_no
""")

EARN_RULES = text("""
SELECT rule_id, merchant_no, currency_no, per_minor_units, points_units, carry_remainder
FROM exchange.earn_rules ORDER BY rule_id
""")

RETURN_BANDS = text("""
SELECT merchant_no, effective_at, sector, max_bps, action FROM exchange.return_bands ORDER BY merchant_no, band_no
""")

ADD_RETURN_BAND = text("""
INSERT INTO exchange.return_bands (merchant_no, effective_at, sector, max_bps, action)
VALUES (:merchant_no, exchange.coalition_now(), :sector, :max_bps, :action)
""")

ADD_EARN_RULE = text("""
INSERT INTO exchange.earn_rules (rule_id, merchant_no, currency_no, per_minor_units, points_units, carry_remainder)
VALUES (:rule_id, :merchant_no, :currency_no, :per_minor_units, :points_units, :carry_remainder)
ON CONFLICT DO NOTHING RETURNING rule_id
""")

ADD_KEY = text("""
INSERT INTO exchange.api_keys (key_id, secret_hash, caller_role, merchant_no, display_name, expires_at, holder,
    created_at)
VALUES (:key_id, :secret_hash, :caller_role, :merchant_no, :display_name, :expires_at, :holder,
    exchange.coalition_now())
""")

REVOKE_KEY = text(
    "UPDATE exchange.api_keys SET revoked_at = exchange.coalition_now() WHERE key_id = :key_id AND revoked_at IS NULL"
)

LOG = text("""
INSERT INTO exchange.audit_log (at, actor, action, subject, reason, after)
VALUES (exchange.coalition_now(), :actor, :action, :subject, :reason, CAST(:after AS jsonb))
""")

SET_CLOCK = text("""
UPDATE exchange.coalition SET clock_offset = :time - clock_timestamp()
WHERE :time >= clock_timestamp() + clock_offset
   OR NOT EXISTS (SELECT FROM exchange.transfers) AND NOT EXISTS (SELECT FROM exchange.retirements)
RETURNING only_row
""")

# ------------------------------------------------------------------------------------------------ members
# The link first: two enrolments of one reference meet there, and the later one makes no member.
ENROLL = text("""
WITH link AS (
    INSERT INTO exchange.member_links (merchant_no, reference, bucket, member_id, created_at)
    VALUES (:merchant_no, :reference, :bucket, :member_id, exchange.coalition_now())
    ON CONFLICT DO NOTHING RETURNING merchant_no, bucket, member_id, created_at
)
INSERT INTO exchange.members (bucket, member_id, enrolled_by, created_at)
SELECT bucket, member_id, merchant_no, created_at FROM link
RETURNING created_at
""")

LINK = text("""
WITH member AS (
    SELECT created_at FROM exchange.members m WHERE bucket = :bucket AND member_id = :member_id
      AND NOT EXISTS (SELECT FROM exchange.closed_members c WHERE c.bucket = m.bucket AND c.member_id = m.member_id)
), link AS (
    INSERT INTO exchange.member_links (merchant_no, reference, bucket, member_id, created_at)
    SELECT :merchant_no, :reference, :bucket, :member_id, exchange.coalition_now() FROM member
    ON CONFLICT DO NOTHING RETURNING member_id
)
SELECT member.created_at AS member_since FROM member, link
""")

LINK_BY_REFERENCE = text("""
SELECT l.member_id, l.reference, m.created_at, c.closed_at
FROM exchange.member_links l JOIN exchange.members m USING (bucket, member_id)
LEFT JOIN exchange.closed_members c USING (bucket, member_id)
WHERE l.merchant_no = :merchant_no AND l.reference = :reference
""")

LINK_BY_MEMBER = text("""
SELECT l.member_id, l.reference, m.created_at, c.closed_at
FROM exchange.member_links l JOIN exchange.members m USING (bucket, member_id)
LEFT JOIN exchange.closed_members c USING (bucket, member_id)
WHERE l.merchant_no = :merchant_no AND l.member_id = :member_id
""")

MEMBER = text("""
SELECT member_id, NULL AS reference, created_at, closed_at
FROM exchange.members LEFT JOIN exchange.closed_members USING (bucket, member_id)
WHERE bucket = :bucket AND member_id = :member_id
""")

# ------------------------------------------------------------------------------------------------ setting up
SET_UP = text("""
INSERT INTO exchange.coalition (operator_no, time_zone, page_secret)
SELECT merchant_no, :time_zone, :page_secret FROM exchange.merchants WHERE merchant_id = :operator
""")

FIRST_OPERATOR = text("""
INSERT INTO exchange.merchants (merchant_id, display_name, roles, created_at)
VALUES (:operator, :operator, '{}', clock_timestamp())
""")

FIRST_WINDOW = text("INSERT INTO exchange.clearing_windows (window_no, opened_at) VALUES (1, clock_timestamp())")

PAGE_SECRET = text("SELECT page_secret FROM exchange.coalition")

IS_SET_UP = text(
    "SELECT m.merchant_id FROM exchange.coalition c JOIN exchange.merchants m ON m.merchant_no = c.operator_no"
)
