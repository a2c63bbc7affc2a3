"""Every statement of proofs."""

from sqlalchemy import text

HEAD = text("""
SELECT window_no, closed, previous, items, items_root, pairs, pairs_root, head FROM settlement.window_heads
WHERE window_no = :window_no
""")

# Heads are made without a gap from the first one on.
NEWEST = text("SELECT max(window_no) FROM settlement.window_heads")

HEADS_BETWEEN = text("""
SELECT window_no, head FROM settlement.window_heads WHERE window_no BETWEEN :least AND :most
""")

ADD = text("""
INSERT INTO settlement.window_heads
    (window_no, closed, previous, items, items_root, pairs, pairs_root, head, made_at)
VALUES (:window_no, :closed, :previous, :items, :items_root, :pairs, :pairs_root, :head, exchange.coalition_now())
""")
