"""The part of the ledger audit that looks at net debit caps: exposures recounted from the immutable rows."""

from __future__ import annotations

from exchange.ledger.audit_entries import OBLIGATIONS

EXPOSURE_CHECKS: dict[str, str] = {
    "what capped merchants owe equals a recount of obligations, discharges and holds": f"""
        SELECT merchant_no, currency_code, x.payable_micros AS kept_payable, r.payable, x.receivable_micros AS
               kept_receivable, r.receivable, x.reserved_micros AS kept_reserved, r.reserved
        FROM exchange.exposures x
        LEFT JOIN (
            SELECT merchant_no, currency_code, sum(payable) AS payable, sum(receivable) AS receivable,
                   sum(reserved) AS reserved
            FROM (
                SELECT side.merchant_no, currency_code, side.payable, side.receivable, 0 AS reserved
                FROM (SELECT debtor_no, creditor_no, currency_code, sum(micros) AS micros
                      FROM {OBLIGATIONS} o GROUP BY debtor_no, creditor_no, currency_code) pairs
                CROSS JOIN LATERAL (VALUES (debtor_no, micros, 0), (creditor_no, 0, micros))
                    AS side (merchant_no, payable, receivable)
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
