"""Every statement of bank details."""

from sqlalchemy import text

_COLUMNS = """d.participant, d.currency_code, d.version, d.holder, d.iban, d.number, d.bic, d.clearing_system,
       d.clearing_member, d.set_at, d.set_by, d.set_person, c.confirmed_at, c.confirmed_by, c.confirmed_person"""

_FROM = """settlement.bank_details d
LEFT JOIN settlement.bank_details_confirmations c USING (participant, currency_code, version)"""

# Versions of one participant and currency are numbered one at a time.
TAKE_TURNS = text("SELECT pg_advisory_xact_lock(7498, hashtext(:participant || '/' || :currency_code))")

NEWEST = text(f"""
SELECT {_COLUMNS} FROM {_FROM}
WHERE d.participant = :participant AND d.currency_code = :currency_code ORDER BY d.version DESC LIMIT 1
""")

VERSION = text(f"""
SELECT {_COLUMNS} FROM {_FROM}
WHERE d.participant = :participant AND d.currency_code = :currency_code AND d.version = :version
""")

# What payments go by: of each participant the newest version that somebody else confirmed.
CONFIRMED = text(f"""
SELECT DISTINCT ON (d.participant) {_COLUMNS} FROM {_FROM}
WHERE d.currency_code = :currency_code AND d.participant = ANY(:participants) AND c.confirmed_at IS NOT NULL
ORDER BY d.participant, d.version DESC
""")

PAGE = text(f"""
SELECT {_COLUMNS} FROM {_FROM}
WHERE (CAST(:participant AS text) IS NULL OR d.participant = :participant)
  AND (d.participant, d.currency_code, d.version) > (:after_participant, :after_currency, :after_version)
ORDER BY d.participant, d.currency_code, d.version LIMIT :limit
""")

ADD = text("""
INSERT INTO settlement.bank_details (participant, currency_code, version, holder, iban, number, bic, clearing_system,
    clearing_member, set_at, set_by, set_person)
VALUES (:participant, :currency_code, :version, :holder, :iban, :number, :bic, :clearing_system, :clearing_member,
    exchange.coalition_now(), :set_by, :set_person)
""")

CONFIRM = text("""
INSERT INTO settlement.bank_details_confirmations
    (participant, currency_code, version, set_person, confirmed_at, confirmed_by, confirmed_person)
VALUES (:participant, :currency_code, :version, :set_person, exchange.coalition_now(), :confirmed_by, :confirmed_person)
""")
