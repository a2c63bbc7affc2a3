"""The part of the ledger audit that looks at net debit caps: exposures recounted from the immutable rows."""

from __future__ import annotations

EXPOSURE_CHECKS: dict[str, str] = {
    "what capped merchants owe equals a recount of obligations, discharges and holds": """
        SELECT merchant_no, currency_code, x.payable_micros AS kept_payable, r.payable, x.receivable_micros AS
               kept_receivable, r.receivable, x.reserved_micros AS kept_reserved, r.reserved
        FROM exchange.exposures x
        LEFT JOIN (
            SELECT merchant_no, currency_code, sum(payable) AS payable, sum(receivable) AS receivable,
                   sum(reserved) AS reserved
            FROM (
                SELECT o.debtor_no AS merchant_no, o.currency_code, o.micros AS payable, 0 AS receivable, 0 AS reserved
                FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.obligations) AS o
                UNION ALL
                SELECT o.creditor_no, o.currency_code, 0, o.micros, 0
                FROM exchange.transfers t CROSS JOIN LATERAL unnest(t.obligations) AS o
                UNION ALL SELECT debtor_no, currency_code, micros, 0, 0 FROM exchange.carried_pairs
                UNION ALL SELECT creditor_no, currency_code, 0, micros, 0 FROM exchange.carried_pairs
                UNION ALL SELECT creditor_no, currency_code, micros, 0, 0 FROM exchange.discharges
                UNION ALL SELECT debtor_no, currency_code, 0, micros, 0 FROM exchange.discharges
                UNION ALL SELECT debtor_no, currency_code, 0, 0, micros FROM exchange.promised_v1
            ) one GROUP BY merchant_no, currency_code
        ) r USING (merchant_no, currency_code)
        WHERE x.payable_micros <> coalesce(r.payable, 0) OR x.receivable_micros <> coalesce(r.receivable, 0)
           OR x.reserved_micros <> coalesce(r.reserved, 0)
    """,
}
