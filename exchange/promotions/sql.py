"""Every statement of the promotions but those of a batch, which stand in `exchange.ledger.bonus_rows`."""

from sqlalchemy import text

PROMOTIONS = text("""
SELECT promotion_no, promotion_id, kind, merchant_no, source_no, currency_no, bonus_bps, bonus_units, member_cap_units,
       budget_units, effective_at, ends_at, created_at
FROM exchange.promotions ORDER BY promotion_no
""")

# By id: of equal remainders the first one takes the micro-unit.
SPONSORS = text("""
SELECT s.promotion_no, s.merchant_no, s.share_bps
FROM exchange.promotion_sponsors s JOIN exchange.merchants m USING (merchant_no)
ORDER BY s.promotion_no, m.merchant_id COLLATE "C"
""")

ADD_PROMOTION = text("""
INSERT INTO exchange.promotions (promotion_id, kind, merchant_no, source_no, currency_no, bonus_bps, bonus_units,
    member_cap_units, budget_units, effective_at, ends_at, created_at)
VALUES (:promotion_id, :kind, :merchant_no, :source_no, :currency_no, :bonus_bps, :bonus_units,
    :member_cap_units, :budget_units, :effective_at, :ends_at, :created_at)
ON CONFLICT DO NOTHING RETURNING promotion_no
""")

ADD_SPONSOR = text("""
INSERT INTO exchange.promotion_sponsors (promotion_no, merchant_no, share_bps)
VALUES (:promotion_no, :merchant_no, :share_bps)
""")

ADD_BUDGET = text("""
INSERT INTO exchange.promotion_budgets (promotion_no, budget_units, used_units) VALUES (:promotion_no, :budget_units, 0)
""")

END_PROMOTION = text("UPDATE exchange.promotions SET ends_at = :ends_at WHERE promotion_no = :promotion_no")

USED = text("""
SELECT promotion_no, used_units FROM exchange.promotion_budgets WHERE promotion_no = ANY(:numbers)
""")
