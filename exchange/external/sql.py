"""Every statement of externally kept currencies, but those of the posting path (`exchange.ledger.external_rows`).

Lock order: the fence, where an event is noted, then rows of conversions; posters take those last.
"""

from sqlalchemy import text

from exchange.ledger.event_kinds import EventKind
from exchange.ledger.sql import BLOCK_UNITS

# Behind the fence, alone: nobody gives anybody points meanwhile, nor begins what will.
HAS_BALANCES = text("""
SELECT EXISTS (SELECT FROM exchange.accounts
               WHERE currency_no = :currency_no AND (available_units <> 0 OR held_units <> 0 OR overdrawn_units <> 0))
    OR EXISTS (SELECT FROM exchange.external_conversions
               WHERE transfer_id IS NULL AND (source_no = :currency_no OR target_no = :currency_no))
""")

SET_LEDGER = text("""
INSERT INTO exchange.external_ledgers (currency_no, answer_seconds, since)
VALUES (:currency_no, :answer_seconds, exchange.coalition_now())
ON CONFLICT (currency_no) DO UPDATE SET answer_seconds = excluded.answer_seconds
""")

_CONVERSION = """c.bucket, c.conversion_id, c.position, c.merchant_no, c.member_id, c.external_no, c.issuer_no,
       c.is_debit, c.member_reference, c.answer_seconds, c.rate_id, c.source_no, c.target_no, c.used_units,
       c.received_units, c.fee_micros, c.out_price_micros, c.in_price_micros, c.created_at, c.ask_at, c.queries,
       c.answer, c.answered_at, c.answer_reference, c.answer_reason, c.contradicted_at, c.transfer_id, c.ended_at"""

_INSTRUCTION = f"""
SELECT i.instruction_id, i.kind, i.position, i.created_at, {_CONVERSION}
FROM exchange.external_instructions i JOIN exchange.external_conversions c USING (bucket, conversion_id)
"""

CONVERSION = text(f"""
SELECT {_CONVERSION} FROM exchange.external_conversions c WHERE c.bucket = :bucket AND c.conversion_id = :conversion_id
""")

# issued: numbers of the currencies the viewer issues.
_SEEN = """c.position > :after
  AND (CAST(:merchant_no AS integer) IS NULL OR c.merchant_no = :merchant_no
       OR c.source_no = ANY(:issued) OR c.target_no = ANY(:issued))
  AND (CAST(:external_no AS integer) IS NULL OR c.external_no = :external_no)"""

CONVERSIONS = text(f"""
SELECT {_CONVERSION} FROM exchange.external_conversions c WHERE {_SEEN} ORDER BY c.position LIMIT :limit
""")

# Said as it is, so that an index of the few that are open serves it, however many have ended.
OPEN_CONVERSIONS = text(f"""
SELECT {_CONVERSION} FROM exchange.external_conversions c WHERE c.transfer_id IS NULL AND {_SEEN}
ORDER BY c.position LIMIT :limit
""")

INSTRUCTIONS = text(f"""
{_INSTRUCTION}
WHERE i.issuer_no = :issuer_no AND i.position > :after ORDER BY i.position LIMIT :limit
""")

# The same of what has no answer.
UNANSWERED = text(f"""
{_INSTRUCTION}
WHERE c.answer IS NULL AND i.issuer_no = :issuer_no AND i.position > :after ORDER BY i.position LIMIT :limit
""")

INSTRUCTIONS_BY_ID = text(f"""
{_INSTRUCTION}
WHERE (i.bucket, i.instruction_id) IN (
    SELECT * FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])))
""")

# One answer at a time: whoever comes second sees the first one's.
INSTRUCTION_ALONE = text(f"""
{_INSTRUCTION}
WHERE i.bucket = :bucket AND i.instruction_id = :instruction_id
FOR UPDATE OF c
""")

KEEP_ANSWER = text("""
UPDATE exchange.external_conversions
SET answer = :outcome, answered_at = exchange.coalition_now(), answer_reference = :reference, answer_reason = :reason
WHERE bucket = :bucket AND conversion_id = :conversion_id AND answer IS NULL
""")

KEEP_CONTRADICTION = text("""
UPDATE exchange.external_conversions SET contradicted_at = coalesce(contradicted_at, exchange.coalition_now())
WHERE bucket = :bucket AND conversion_id = :conversion_id
""")

# Answered, and its end not posted: whoever was to do it died, or could not yet.
TO_END = text(f"""
SELECT {_CONVERSION}
FROM exchange.external_conversions c WHERE c.answer IS NOT NULL AND c.transfer_id IS NULL
ORDER BY c.answered_at LIMIT :limit
""")

# What another process asks about just now is left to it.
TO_ASK = text(f"""
SELECT {_CONVERSION}
FROM exchange.external_conversions c WHERE c.answer IS NULL AND c.ask_at <= exchange.coalition_now()
ORDER BY c.ask_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")

ASKED = text("""
UPDATE exchange.external_conversions c SET queries = c.queries + 1, ask_at = exchange.coalition_now() + asked.pause
FROM unnest(CAST(:buckets AS smallint[]), CAST(:conversions AS uuid[]), CAST(:pauses AS interval[]))
    AS asked (bucket, conversion_id, pause)
WHERE c.bucket = asked.bucket AND c.conversion_id = asked.conversion_id
""")

# The caller shares the fence: see `exchange.ledger.outbox`.
ASK = text(f"""
WITH asked AS MATERIALIZED (
    SELECT a.*, drawn.first + a.place - 1 AS position
    FROM (SELECT nextval('exchange.ledger_blocks') * {BLOCK_UNITS} AS first) drawn,
         unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:conversions AS uuid[]),
                CAST(:issuers AS integer[]))
         WITH ORDINALITY AS a (bucket, instruction_id, conversion_id, issuer_no, place)
), instructed AS (
    INSERT INTO exchange.external_instructions
        (bucket, instruction_id, conversion_id, position, issuer_no, kind, created_at)
    SELECT bucket, instruction_id, conversion_id, position, issuer_no, 3, exchange.coalition_now() FROM asked
)
INSERT INTO exchange.events (sequence, kind, occurred_at, resource, audience)
SELECT position, {EventKind.INSTRUCTION_GIVEN:d}, exchange.coalition_now(), 'instructions/' || instruction_id,
       ARRAY[issuer_no]
FROM asked
""")
