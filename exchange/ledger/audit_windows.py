"""The part of the ledger audit that looks at windows: what each comes to, what is in it, how they follow."""

from __future__ import annotations

from exchange.ledger.audit_entries import OBLIGATIONS

WINDOW_CHECKS: dict[str, str] = {
    "window totals equal a recount of their obligations": f"""
        SELECT window_no, debtor, creditor, currency_code, kind, k.micros AS kept, e.micros AS recomputed,
               k.obligations AS kept_count, e.obligations AS recomputed_count
        FROM exchange.clearing_totals_v1 k
        FULL JOIN (SELECT window_no, debtor, creditor, currency_code, kind, sum(micros) AS micros,
                          sum(obligations) AS obligations
                   FROM (SELECT window_no, debtor_no, creditor_no, currency_code, kind, sum(micros) AS micros,
                                count(*) AS obligations
                         FROM {OBLIGATIONS} o GROUP BY window_no, debtor_no, creditor_no, currency_code, kind
                         UNION ALL
                         SELECT window_no, debtor_no, creditor_no, currency_code, kind, micros, obligations
                         FROM exchange.carried_pairs) kept_and_left
                   JOIN (SELECT merchant_no AS debtor_no, merchant_id AS debtor FROM exchange.merchants) d
                        USING (debtor_no)
                   JOIN (SELECT merchant_no AS creditor_no, merchant_id AS creditor FROM exchange.merchants) c
                        USING (creditor_no)
                   GROUP BY window_no, debtor, creditor, currency_code, kind) e
            USING (window_no, debtor, creditor, currency_code, kind)
        WHERE k.micros IS DISTINCT FROM e.micros OR k.obligations IS DISTINCT FROM e.obligations
    """,
    "priced obligations are points times price": """
        SELECT transfer_id, position, micros, points_units, price_micros FROM exchange.clearing_entries_v1
        WHERE points_units > 0 AND micros <> points_units::numeric * price_micros
    """,
    "every transfer is in a window, and no closed window was posted to": """
        SELECT t.transfer_id, t.window_no, t.occurred_at, w.closed_at
        FROM exchange.transfers t LEFT JOIN exchange.clearing_windows w USING (window_no)
        WHERE w.window_no IS NULL OR t.occurred_at > w.closed_at
    """,
    "every transfer lies where its window does": """
        SELECT t.transfer_id, t.window_no, t.ledger_sequence, w.first_sequence, n.first_sequence AS next_first_sequence
        FROM exchange.transfers t
        JOIN exchange.clearing_windows w USING (window_no)
        LEFT JOIN exchange.clearing_windows n ON n.window_no = w.window_no + 1
        WHERE t.ledger_sequence < w.first_sequence OR t.ledger_sequence >= n.first_sequence
    """,
    "windows follow one another without a gap": """
        SELECT window_no, opened_at, before_closed_at
        FROM (SELECT *, lag(closed_at) OVER (ORDER BY window_no) AS before_closed_at,
                     lag(window_no) OVER (ORDER BY window_no) AS before FROM exchange.clearing_windows) w
        WHERE before IS NOT NULL AND (window_no <> before + 1 OR opened_at <> before_closed_at)
    """,
}
