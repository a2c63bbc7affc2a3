"""The part of the ledger audit that looks at windows: what is in each, and how they follow one another."""

from __future__ import annotations

WINDOW_CHECKS: dict[str, str] = {
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
