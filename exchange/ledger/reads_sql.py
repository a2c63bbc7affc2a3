"""Every statement of reading the ledger. What each looks at does not grow with the ledger, but with what it answers."""

from sqlalchemy import text

from exchange.ledger.sql import TRANSFER_COLUMNS
from exchange.money.limits import INT64_MAX

_TRANSFER = f"\nSELECT {TRANSFER_COLUMNS}\nFROM exchange.transfers t\n"

# One instant for all of them. What an account has is kept; only lots that have reached their end while nobody posted it
# yet are looked at, so that a member with thousands of lots is read as fast as one with a single lot.
# What is pending may be of a currency the member never had. Each conversion was begun while there was room for it; all
# of them together may pass 64 bits, and then not all of them can be completed.
BALANCES = text(f"""
WITH moment AS MATERIALIZED (
    SELECT exchange.coalition_now() AS now
), owned AS (
    SELECT a.currency_no, a.last_sequence, a.held_units,
           (a.available_units
            - coalesce((SELECT sum(l.remaining_units) FROM exchange.lots l
                        WHERE l.bucket = a.bucket AND l.member_id = a.member_id AND l.currency_no = a.currency_no
                          AND l.is_open AND l.expires_at <= m.now), 0)
            - CASE WHEN e.ends_at <= m.now
                   THEN coalesce((SELECT sum(l.remaining_units) FROM exchange.lots l
                                  WHERE l.bucket = a.bucket AND l.member_id = a.member_id
                                    AND l.currency_no = a.currency_no AND l.is_open AND l.expires_at IS NULL), 0)
                   ELSE 0 END)::bigint AS available
    FROM exchange.accounts a
    LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
    CROSS JOIN moment m
    WHERE a.bucket = :bucket AND a.member_id = :member_id AND a.last_sequence > 0
), pending AS (
    SELECT c.target_no AS currency_no, least(sum(c.received_units), {INT64_MAX})::bigint AS units
    FROM exchange.external_conversions c
    WHERE c.bucket = :bucket AND c.member_id = :member_id AND c.is_debit AND c.transfer_id IS NULL
    GROUP BY c.target_no
)
SELECT currency_no, coalesce(o.last_sequence, 0), coalesce(o.held_units, 0), coalesce(o.available, 0),
       coalesce(p.units, 0), m.now
FROM owned o FULL JOIN pending p USING (currency_no) CROSS JOIN moment m
""")

# A lot that ends at midnight can be used on the day before. An account's lots are ordered by their end: only those that
# end in time are looked at, and those without an end of their own where the account ends in time.
EXPIRING = text("""
WITH owned AS (
    SELECT a.bucket, a.member_id, a.currency_no, e.ends_at
    FROM exchange.accounts a LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
    WHERE a.bucket = :bucket AND a.member_id = :member_id
), ending AS (
    SELECT currency_no, o.remaining_units, o.expires_at AS ends_at
    FROM owned JOIN exchange.lots o USING (bucket, member_id, currency_no)
    WHERE o.is_open AND o.expires_at > :now AND o.expires_at <= :now + make_interval(days => :days)
    UNION ALL
    SELECT currency_no, o.remaining_units, w.ends_at
    FROM owned w JOIN exchange.lots o USING (bucket, member_id, currency_no)
    WHERE o.is_open AND o.expires_at IS NULL AND w.ends_at > :now AND w.ends_at <= :now + make_interval(days => :days)
)
SELECT l.currency_no, ((l.ends_at - interval '1 microsecond') AT TIME ZONE c.time_zone)::date AS last_date,
       sum(l.remaining_units)::bigint AS units
FROM ending l CROSS JOIN exchange.coalition c
GROUP BY l.currency_no, last_date ORDER BY l.currency_no, last_date
""")

HAS_TRANSFER = text("""
SELECT EXISTS (SELECT FROM exchange.transfers
               WHERE bucket = :bucket AND member_id = :member_id AND ledger_sequence = :sequence)
       AND (CAST(:merchant_no AS integer) IS NULL
            OR EXISTS (SELECT FROM exchange.member_links WHERE merchant_no = :merchant_no AND member_id = :member_id))
    OR EXISTS (SELECT FROM exchange.transfers WHERE merchant_no = :merchant_no AND ledger_sequence = :sequence)
    OR :sequence <= (SELECT last_sequence FROM exchange.retired)
""")

LOTS = text("""
SELECT lot_id, units, remaining_units, funder_no, price_micros, earned_at, expires_at, transfer_id,
       coalesce(expires_at, e.ends_at)
FROM exchange.lots l LEFT JOIN exchange.account_ends e USING (bucket, member_id, currency_no)
WHERE bucket = :bucket AND member_id = :member_id AND currency_no = :currency_no AND l.is_open
  AND (coalesce(expires_at, 'infinity'), earned_at, lot_id)
    > (coalesce(CAST(:expires_at AS timestamptz), 'infinity'), CAST(:earned_at AS timestamptz), CAST(:lot_id AS uuid))
ORDER BY expires_at, earned_at, lot_id
LIMIT :limit
""")

KEY = text("""
SELECT transfer_bucket, transfer_id, refusal FROM exchange.request_keys
WHERE bucket = :bucket AND merchant_no = :merchant_no AND request_id = :request_id
""")

TRANSFER_BY_NAME = text(_TRANSFER + "WHERE t.bucket = :bucket AND t.transfer_id = :transfer_id")

TRANSFERS_BY_REFERENCE = text(f"""
SELECT * FROM ({_TRANSFER} WHERE t.merchant_no = :merchant_no AND t.reference = :reference
               ORDER BY t.ledger_sequence DESC LIMIT :limit) newest
ORDER BY ledger_sequence
""")

# From where to below where a window lies in the ledger.
WINDOW = text("""
SELECT w.first_sequence, n.first_sequence AS next_first_sequence
FROM exchange.clearing_windows w LEFT JOIN exchange.clearing_windows n ON n.window_no = w.window_no + 1
WHERE w.window_no = :window_no
""")

# For the rest of the transaction. A page of a member's transfers comes from each partition's index, in order, and ends
# when it is full. The planner takes a member's for one or two, however many there are, since a bucket and a member are
# chosen independently for all it knows: it would rather read all of them and sort. So it is told not to.
IN_ORDER = text("SET LOCAL enable_sort = off")

# A list each, by the index that serves it; the filters of each are always given, or wide open. The window's own number
# is asked for beside its place: what is listed stands in the window even if the place were wrong.
_PAGE = """ AND t.ledger_sequence > :after AND t.ledger_sequence < :before
    AND (CAST(:window_no AS bigint) IS NULL OR t.window_no = :window_no)"""
# A merchant in whose name the exchange ended a member's points need not have linked the person.
_LINKED = """EXISTS (
    SELECT FROM exchange.member_links WHERE merchant_no = :merchant_no AND member_id = :member_id)"""
_ORDER = " ORDER BY t.ledger_sequence LIMIT :limit"
_OF_MEMBER = "WHERE t.bucket = :bucket AND t.member_id = :member_id"
TRANSFERS_OF_MERCHANT = text(_TRANSFER + "WHERE t.merchant_no = :merchant_no" + _PAGE + _ORDER)
TRANSFERS_OF_REFERENCE = text(
    _TRANSFER
    + "WHERE t.merchant_no = :merchant_no AND t.reference = :reference"
    + f" AND (CAST(:member_id AS uuid) IS NULL OR t.member_id = :member_id AND {_LINKED})"
    + _PAGE
    + _ORDER
)
TRANSFERS_OF_MEMBER = text(_TRANSFER + _OF_MEMBER + _PAGE + _ORDER)
# Of one member among those of one merchant: the member's are far fewer.
TRANSFERS_OF_BOTH = text(_TRANSFER + _OF_MEMBER + f" AND t.merchant_no = :merchant_no AND {_LINKED}" + _PAGE + _ORDER)
# Each merchant's lie in order; the first of all of them are among the first of each.
TRANSFERS = text(f"""
SELECT {TRANSFER_COLUMNS}
FROM exchange.merchants m CROSS JOIN LATERAL (
    SELECT t.* FROM exchange.transfers t WHERE t.merchant_no = m.merchant_no{_PAGE}{_ORDER}
) t{_ORDER}
""")


# In the order the promotions were made.
BONUSES = text("""
SELECT b.transfer_id, b.promotion_no, b.currency_no, b.given_units, b.returned_units, b.lot_id
FROM unnest(CAST(:buckets AS smallint[]), CAST(:transfers AS uuid[])) AS asked (bucket, transfer_id)
JOIN exchange.bonus_entries b USING (bucket, transfer_id)
ORDER BY b.transfer_id, b.promotion_no
""")

PROMOTIONS_OF_LOTS = text("""
SELECT lot_id, promotion_no FROM exchange.bonus_entries
WHERE bucket = :bucket AND lot_id = ANY(:lots) AND given_units > 0
""")


LINKED_MEMBERS = text("""
SELECT member_id FROM exchange.member_links WHERE merchant_no = :merchant_no AND member_id = ANY(:members)
""")
