"""The part of the ledger audit that looks at promotions: budgets, caps and shares recounted from the immutable rows."""

from __future__ import annotations

BONUS_CHECKS: dict[str, str] = {
    "promotions' budgets equal a recount of their bonuses, and none is passed": """
        SELECT promotion_no, b.used_units AS kept, e.units AS recomputed, p.budget_units
        FROM exchange.promotions p
        LEFT JOIN exchange.promotion_budgets b USING (promotion_no)
        LEFT JOIN (SELECT promotion_no, sum(given_units) - sum(returned_units) AS units
                   FROM exchange.bonus_entries GROUP BY promotion_no) e USING (promotion_no)
        WHERE p.budget_units > 0
          AND (b.used_units IS DISTINCT FROM coalesce(e.units, 0) OR b.budget_units <> p.budget_units
               OR e.units > p.budget_units)
    """,
    "members' shares of promotions equal a recount of their bonuses, and no cap is passed": """
        SELECT bucket, member_id, promotion_no, u.used_units AS kept, e.units AS recomputed, p.member_cap_units
        FROM (SELECT bucket, member_id, promotion_no, sum(given_units) - sum(returned_units) AS units
              FROM exchange.bonus_entries GROUP BY bucket, member_id, promotion_no) e
        FULL JOIN exchange.promotion_members u USING (bucket, member_id, promotion_no)
        LEFT JOIN exchange.promotions p USING (promotion_no)
        WHERE p.promotion_no IS NULL OR (p.member_cap_units = 0) <> (u.used_units IS NULL)
           OR (p.member_cap_units > 0 AND (u.used_units IS DISTINCT FROM e.units OR e.units > p.member_cap_units))
    """,
    "each bonus is a lot of the transfer that gave it, and each further lot of a transfer is a bonus": """
        SELECT bucket, lot_id, e.promotion_no, e.given_units, l.units, e.transfer_id, l.transfer_id AS made_by
        FROM (SELECT * FROM exchange.bonus_entries WHERE given_units > 0) e
        LEFT JOIN exchange.lots l USING (bucket, lot_id)
        LEFT JOIN exchange.promotions p USING (promotion_no)
        WHERE l.units IS DISTINCT FROM e.given_units OR l.transfer_id <> e.transfer_id
           OR l.currency_no <> e.currency_no OR l.member_id <> e.member_id
           OR p.currency_no IS DISTINCT FROM e.currency_no
        UNION ALL
        SELECT bucket, NULL, NULL, bonuses, lots, transfer_id, NULL
        FROM (SELECT l.bucket, l.transfer_id, count(*) AS lots, count(e.lot_id) AS bonuses
              FROM exchange.lots l
              LEFT JOIN exchange.bonus_entries e
                  ON e.bucket = l.bucket AND e.lot_id = l.lot_id AND e.given_units > 0
              GROUP BY l.bucket, l.transfer_id) made
        WHERE lots <> bonuses + 1
    """,
    "bonuses are taken back by reversals of what gave them, and never more than was given": """
        SELECT r.transfer_id, r.lot_id, r.returned_units, given.given_units
        FROM exchange.bonus_entries r
        LEFT JOIN exchange.bonus_entries given
            ON given.bucket = r.bucket AND given.lot_id = r.lot_id AND given.given_units > 0
        LEFT JOIN exchange.transfers t ON t.bucket = r.bucket AND t.transfer_id = r.transfer_id
        WHERE r.returned_units > 0 AND r.transfer_id >= (SELECT exchange.retired_to())
          AND (given.lot_id IS NULL OR t.original_id IS DISTINCT FROM given.transfer_id
               OR r.promotion_no <> given.promotion_no OR r.member_id <> given.member_id
               OR given.given_units < (SELECT sum(all_of.returned_units) FROM exchange.bonus_entries all_of
                                       WHERE all_of.bucket = r.bucket AND all_of.lot_id = r.lot_id))
    """,
    # A share is rounded to the micro-unit, up or down.
    "sponsors owe their shares of the bonuses": """
        WITH shares AS (
            SELECT e.transfer_id, m.merchant_id AS debtor, i.merchant_id AS creditor, count(*) AS bonuses,
                   sum(e.given_units::numeric * l.price_micros * s.share_bps) / 10000 AS micros
            FROM exchange.bonus_entries e
            JOIN exchange.lots l USING (bucket, lot_id)
            JOIN exchange.currencies c ON c.currency_no = e.currency_no
            JOIN exchange.promotion_sponsors s USING (promotion_no)
            JOIN exchange.merchants m ON m.merchant_no = s.merchant_no
            JOIN exchange.merchants i ON i.merchant_no = c.issuer_no
            WHERE e.given_units > 0 AND s.merchant_no <> c.issuer_no AND e.transfer_id >= (SELECT exchange.retired_to())
            GROUP BY e.transfer_id, m.merchant_id, i.merchant_id
        ), owed AS (
            SELECT transfer_id, debtor, creditor, sum(micros) AS micros
            FROM exchange.clearing_entries_v1 WHERE kind = 100 GROUP BY transfer_id, debtor, creditor
        )
        SELECT transfer_id, debtor, creditor, o.micros AS owed, s.micros AS share
        FROM shares s FULL JOIN owed o USING (transfer_id, debtor, creditor)
        WHERE abs(coalesce(o.micros, 0) - coalesce(s.micros, 0)) >= coalesce(s.bonuses, 0)
    """,
}
