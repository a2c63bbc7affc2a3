"""Every statement of the points liability."""

from sqlalchemy import text

# Whoever sums a window's movements first keeps them; others wait and find them.
TAKE_TURNS = text("SELECT pg_advisory_xact_lock(7498, hashtext('points movements'))")

NOT_SUMMED = text("""
SELECT w.window_no FROM exchange.clearing_windows_v1 w LEFT JOIN settlement.points_windows s USING (window_no)
WHERE w.closed_at IS NOT NULL AND s.window_no IS NULL ORDER BY w.window_no
""")

MARK = text("""
INSERT INTO settlement.points_windows (window_no, summed_at)
SELECT window_no, exchange.coalition_now() FROM unnest(CAST(:windows AS bigint[])) AS w (window_no)
""")

_SUMS = """
SELECT window_no, kind, currency, issuer, funder, money,
       coalesce(sum(units) FILTER (WHERE side = 2), 0) AS added,
       coalesce(sum(units) FILTER (WHERE side = 1), 0) AS removed,
       coalesce(sum(units::numeric * price_micros) FILTER (WHERE side = 2), 0) AS added_micros,
       coalesce(sum(units::numeric * price_micros) FILTER (WHERE side = 1), 0) AS removed_micros
FROM exchange.points_movements_v1
"""

_GROUPS = "GROUP BY window_no, kind, currency, issuer, funder, money"

KEEP = text(f"""
INSERT INTO settlement.points_movements (window_no, kind, currency, issuer, funder, money, added, removed, added_micros,
    removed_micros)
{_SUMS} WHERE window_no = ANY(:windows) {_GROUPS}
""")

_COLUMNS = """window_no, kind, currency, issuer, funder, money, added::text AS added, removed::text AS removed,
       added_micros::text AS added_micros, removed_micros::text AS removed_micros"""

KEPT = text(f"SELECT {_COLUMNS} FROM settlement.points_movements ORDER BY window_no, currency, funder, kind")

# Windows that are not closed yet, or were closed a moment ago.
LIVE = text(f"""
SELECT {_COLUMNS} FROM ({_SUMS} WHERE window_no > :after {_GROUPS}) live ORDER BY window_no, currency, funder, kind
""")

LAST_KEPT = text("SELECT coalesce(max(window_no), 0) FROM settlement.points_windows")

OUTSTANDING = text("""
SELECT currency, issuer, funder, units::text AS units, micros::text AS micros FROM exchange.points_outstanding_v1
""")
