"""Every statement of breakage estimates."""

from sqlalchemy import text

_COLUMNS = """e.currency, e.version, e.from_window, e.expected_bps, e.reason, e.set_at, e.set_by, e.set_person,
       c.confirmed_at, c.confirmed_by, c.confirmed_person"""

_FROM = "settlement.breakage_estimates e LEFT JOIN settlement.breakage_confirmations c USING (currency, version)"

TAKE_TURNS = text("SELECT pg_advisory_xact_lock(7498, hashtext('breakage/' || :currency))")

NEWEST = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE e.currency = :currency ORDER BY e.version DESC LIMIT 1")

VERSION = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE e.currency = :currency AND e.version = :version")

OF_CURRENCY = text(f"SELECT {_COLUMNS} FROM {_FROM} WHERE e.currency = :currency ORDER BY e.version")

PAGE = text(f"""
SELECT {_COLUMNS} FROM {_FROM}
WHERE (CAST(:currency AS text) IS NULL OR e.currency = :currency)
  AND (e.currency, e.version) > (:after_currency, :after_version)
ORDER BY e.currency, e.version LIMIT :limit
""")

ADD = text("""
INSERT INTO settlement.breakage_estimates (currency, version, from_window, expected_bps, reason, set_at, set_by,
    set_person)
VALUES (:currency, :version, :from_window, :expected_bps, :reason, exchange.coalition_now(), :set_by, :set_person)
""")

CONFIRM = text("""
INSERT INTO settlement.breakage_confirmations
    (currency, version, set_person, confirmed_at, confirmed_by, confirmed_person)
VALUES (:currency, :version, :set_person, exchange.coalition_now(), :confirmed_by, :confirmed_person)
""")
