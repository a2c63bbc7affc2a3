"""The part of the ledger audit that looks at members' monthly statements: how they follow, and what was posted."""

from __future__ import annotations

from exchange.ledger.audit_entries import LEGS, credit_less_debit

_CIRCULATION, _HELD = 2, 3

STATEMENT_CHECKS: dict[str, str] = {
    "each month's statement opens as the one before closed": """
        SELECT s.bucket, s.member_id, s.currency_no, s.month, s.opening_available_units, p.closing_available_units,
               s.opening_held_units, p.closing_held_units
        FROM exchange.member_statements s
        JOIN exchange.member_statements p ON p.bucket = s.bucket AND p.member_id = s.member_id
         AND p.currency_no = s.currency_no AND p.month = s.month - interval '1 month'
        WHERE (s.opening_available_units, s.opening_held_units) <> (p.closing_available_units, p.closing_held_units)
    """,
    "the newest month's statements are what was posted": f"""
        SELECT r.month, w.*
        FROM (SELECT * FROM exchange.statement_runs WHERE ended_at IS NOT NULL ORDER BY month DESC LIMIT 1) r
        CROSS JOIN LATERAL (
            SELECT bucket, member_id, currency_no, s.closing_available_units AS kept, e.available AS recomputed,
                   s.closing_held_units AS kept_held, e.held AS recomputed_held, s.entries AS kept_entries, e.entries
            FROM (SELECT * FROM exchange.member_statements WHERE month = r.month) s
            FULL JOIN (SELECT bucket, member_id, currency_no, sum(available) AS available, sum(held) AS held,
                              sum(entries) AS entries
                       FROM (SELECT bucket, member_id, currency_no,
                                    {credit_less_debit(f"account <> {_HELD}")} AS available,
                                    {credit_less_debit(f"account = {_HELD}")} AS held,
                                    count(DISTINCT account_sequence) FILTER (WHERE occurred_at >= r.begins_at)
                                        AS entries
                             FROM {LEGS} l WHERE account <> {_CIRCULATION} AND occurred_at < r.ends_at
                             GROUP BY bucket, member_id, currency_no
                             UNION ALL
                             SELECT bucket, member_id, currency_no, available_units, held_units, 0
                             FROM exchange.carried_accounts) kept_and_left
                       GROUP BY bucket, member_id, currency_no) e USING (bucket, member_id, currency_no)
            WHERE coalesce(s.closing_available_units, 0) <> coalesce(e.available, 0)
               OR coalesce(s.closing_held_units, 0) <> coalesce(e.held, 0)
               OR coalesce(s.entries, 0) <> coalesce(e.entries, 0)) w
    """,
}
