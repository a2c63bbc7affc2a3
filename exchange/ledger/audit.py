"""The ledger audit: every kept figure recomputed from the immutable rows, and every law looked at.

Each check is one statement that returns what is wrong, at most a few rows: an empty answer is the proof. All of them
run in one snapshot, beside posting, without locks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.ledger.audit_bonuses import BONUS_CHECKS
from exchange.ledger.audit_entries import KEPT, LEGS, OBLIGATIONS, credit_less_debit
from exchange.ledger.audit_exposures import EXPOSURE_CHECKS
from exchange.ledger.audit_external import EXTERNAL_CHECKS
from exchange.ledger.audit_retired import RETIRED_CHECKS
from exchange.ledger.audit_statements import STATEMENT_CHECKS
from exchange.ledger.audit_windows import WINDOW_CHECKS

DIFFERENCES_MAX = 10
WORK_MEM_KIB = 32 * 1024
"""What each sort of a check may take of PostgreSQL's memory, and each table of hashes twice; the rest goes to files."""

# With PostgreSQL's own 4 MiB a sort of ten million goes through its files more than once. Until the transaction ends.
_MORE_MEMORY = text(f"""
    SELECT set_config('work_mem', '{WORK_MEM_KIB}', true) FROM pg_settings
    WHERE name = 'work_mem' AND setting::bigint < {WORK_MEM_KIB}
""")
_MEMBER, _CIRCULATION, _HELD, _OVERDRAFT, _DEBIT, _CREDIT = 1, 2, 3, 4, 1, 2
_RELEASE, _REVERSAL, _EXPIRE, _INACTIVITY = 9, 10, 11, 5
_DEBIT_ADJUSTMENT, _VOID = 123, 127
_UNUSED = f"{_EXPIRE}, {_DEBIT_ADJUSTMENT}, {_VOID}"
_BEGUN, _COMPLETED, _REJECTED = 150, 151, 2

CHECKS: dict[str, str] = {
    "legs of each transfer balance in each currency": f"""
        SELECT t.transfer_id, unbalanced.*
        FROM exchange.transfers t
        CROSS JOIN LATERAL (SELECT currency_no, {credit_less_debit()} AS credit_less_debit
                            FROM unnest(t.legs) GROUP BY currency_no HAVING {credit_less_debit()} <> 0) unbalanced
    """,
    # But for spends that made no point yet, returns too small to take one, and conversions of what is kept elsewhere.
    "every transfer moves something, by positive amounts": f"""
        SELECT transfer_id FROM exchange.transfers t
        WHERE cardinality(legs) = 0 AND earn_rule IS NULL AND (kind <> {_REVERSAL} OR cardinality(obligations) > 0)
          AND NOT EXISTS (SELECT FROM exchange.external_conversions c
                          WHERE c.is_debit AND c.bucket = t.bucket
                            AND (c.conversion_id = t.transfer_id
                                 OR (c.conversion_id = t.original_id AND c.answer = {_REJECTED})))
        UNION ALL SELECT transfer_id FROM {LEGS} l WHERE units <= 0
        UNION ALL SELECT transfer_id FROM {OBLIGATIONS} o WHERE micros <= 0 OR debtor_no = creditor_no
    """,
    "balances, holds and overdrafts equal the sum of their entries": f"""
        SELECT bucket, member_id, currency_no, a.available_units AS kept, e.available AS recomputed,
               a.held_units AS kept_held, e.held AS recomputed_held, a.overdrawn_units, e.overdrawn
        FROM exchange.accounts a
        FULL JOIN (SELECT bucket, member_id, currency_no, sum(available) AS available, sum(held) AS held,
                          sum(overdrawn) AS overdrawn
                   FROM (SELECT bucket, member_id, currency_no,
                                {credit_less_debit(f"account IN ({_MEMBER}, {_OVERDRAFT})")} AS available,
                                {credit_less_debit(f"account = {_HELD}")} AS held,
                                -{credit_less_debit(f"account = {_OVERDRAFT}")} AS overdrawn
                         FROM {LEGS} l WHERE account <> {_CIRCULATION} GROUP BY bucket, member_id, currency_no
                         UNION ALL
                         SELECT bucket, member_id, currency_no, available_units, held_units, overdrawn_units
                         FROM exchange.carried_accounts) kept_and_left
                   GROUP BY bucket, member_id, currency_no) e
            USING (bucket, member_id, currency_no)
        WHERE a.available_units IS DISTINCT FROM coalesce(e.available, 0)
           OR a.held_units IS DISTINCT FROM coalesce(e.held, 0)
           OR a.overdrawn_units IS DISTINCT FROM coalesce(e.overdrawn, 0)
    """,
    "balances and holds equal the sum of their lots": """
        SELECT bucket, member_id, currency_no, a.available_units AS kept, a.overdrawn_units, l.units AS in_lots,
               a.held_units AS kept_held, l.held AS held_in_lots
        FROM exchange.accounts a
        FULL JOIN (SELECT bucket, member_id, currency_no, sum(remaining_units) AS units, sum(held_units) AS held
                   FROM exchange.lots GROUP BY bucket, member_id, currency_no) l USING (bucket, member_id, currency_no)
        WHERE a.available_units + a.overdrawn_units IS DISTINCT FROM coalesce(l.units, 0)
           OR a.held_units IS DISTINCT FROM coalesce(l.held, 0)
    """,
    "no account is below its floor": """
        SELECT a.bucket, a.member_id, a.currency_no, a.available_units
        FROM exchange.accounts a JOIN exchange.currencies c USING (currency_no)
        WHERE (a.available_units < 0 AND NOT c.negative_balances) OR a.held_units < 0 OR a.overdrawn_units < 0
    """,
    # Of those that have left the ledger it is known how many they are, the last, and which below it have not left.
    "each account's entries are numbered 1, 2, 3 … without a gap": f"""
        SELECT bucket, member_id, currency_no, a.last_sequence AS kept, e.entries, e.first, e.last,
               c.entries AS entries_left, c.last_sequence AS last_left, c.missing
        FROM exchange.accounts a
        FULL JOIN (SELECT bucket, member_id, currency_no, count(account_sequence) AS entries,
                          min(account_sequence) AS first, max(account_sequence) AS last, sum(transfers) AS transfers,
                          bool_or(account_sequence <= c.last_sequence AND account_sequence <> ALL (c.missing)) AS twice
                   FROM (SELECT bucket, member_id, currency_no, account_sequence,
                                count(DISTINCT transfer_id) AS transfers
                         FROM {LEGS} l WHERE account <> {_CIRCULATION}
                         GROUP BY member_id, bucket, currency_no, account_sequence) numbers
                   LEFT JOIN (SELECT bucket, member_id, currency_no, last_sequence, missing
                              FROM exchange.carried_accounts) c USING (bucket, member_id, currency_no)
                   GROUP BY bucket, member_id, currency_no) e
            USING (bucket, member_id, currency_no)
        FULL JOIN exchange.carried_accounts c USING (bucket, member_id, currency_no)
        WHERE coalesce(a.last_sequence, -1) <> coalesce(e.entries, 0) + coalesce(c.entries, 0)
           OR coalesce(e.transfers, 0) <> coalesce(e.entries, 0) OR e.first < 1 OR e.twice
           OR coalesce(greatest(e.last, c.last_sequence), 0) <> coalesce(e.entries, 0) + coalesce(c.entries, 0)
           OR c.last_sequence <> c.entries + cardinality(c.missing)
    """,
    "an account's later entries stand later in the ledger": f"""
        SELECT transfer_id, account_sequence, ledger_sequence, earlier
        FROM (SELECT transfer_id, account_sequence, ledger_sequence, max(ledger_sequence) OVER (
                  PARTITION BY member_id, bucket, currency_no ORDER BY account_sequence
                  RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier
              FROM {LEGS} l WHERE account <> {_CIRCULATION}) ordered
        WHERE earlier >= ledger_sequence
    """,
    "no two transfers stand in one place of the ledger": """
        SELECT ledger_sequence, count(*) AS transfers FROM exchange.transfers
        GROUP BY ledger_sequence HAVING count(*) > 1
    """,
    "lots equal what went into and out of them": f"""
        SELECT bucket, lot_id, l.remaining_units AS kept, l.remaining AS recomputed, c.remaining_units AS carried,
               l.held_units AS kept_held, l.held, c.held_units AS carried_held, l.units, l.made
        FROM (SELECT bucket, lot_id, l.transfer_id, l.remaining_units, l.held_units, l.lot_units AS units, l.is_open,
                     {credit_less_debit(f"account = {_MEMBER}")} AS remaining,
                     {credit_less_debit(f"account = {_HELD}")} AS held,
                     sum(e.units) FILTER (WHERE account = {_MEMBER} AND side = {_CREDIT}
                                          AND e.transfer_id = l.transfer_id) AS made
              FROM (SELECT bucket, lot_id, transfer_id, remaining_units, held_units, units AS lot_units, is_open
                    FROM exchange.lots) l
              FULL JOIN (SELECT bucket, lot_id, transfer_id, account, side, units
                         FROM {LEGS} l WHERE lot_id IS NOT NULL) e USING (bucket, lot_id)
              GROUP BY bucket, lot_id, l.transfer_id, l.remaining_units, l.held_units, l.lot_units, l.is_open) l
        FULL JOIN exchange.carried_lots c USING (bucket, lot_id)
        WHERE l.remaining_units IS DISTINCT FROM coalesce(l.remaining, 0) + coalesce(c.remaining_units, 0)
           OR l.held_units IS DISTINCT FROM coalesce(l.held, 0) + coalesce(c.held_units, 0)
           OR (l.transfer_id >= {KEPT} AND l.units IS DISTINCT FROM l.made)
           OR l.is_open IS DISTINCT FROM (l.remaining_units > 0)
    """,
    "what follows a transfer never exceeds it": f"""
        SELECT f.transfer_id, f.done_units, t.kind, moved.units
        FROM exchange.follow_ups f
        LEFT JOIN exchange.transfers t USING (bucket, transfer_id)
        LEFT JOIN LATERAL (SELECT sum(units) FILTER (WHERE account = {_CIRCULATION} AND side = {_CREDIT}) AS burnt,
                                  sum(units) FILTER (WHERE account = {_CIRCULATION} AND side = {_DEBIT}) AS made,
                                  sum(units) FILTER (WHERE account = {_HELD} AND side = {_CREDIT}) AS held
                           FROM unnest(t.legs)) sums ON true
        LEFT JOIN LATERAL (SELECT coalesce(sums.burnt, sums.made, sums.held) AS units) moved ON true
        WHERE f.transfer_id >= {KEPT}
          AND (t.transfer_id IS NULL OR f.done_units > moved.units OR f.returned_minor > coalesce(t.spend_minor, 0))
    """,
    "points that ended unused are those that lots lost by ending": f"""
        SELECT bucket, lot_id, u.units AS kept, e.units AS recomputed
        FROM exchange.unused_points u
        FULL JOIN (SELECT bucket, lot_id, sum(units) AS units
                   FROM (SELECT bucket, lot_id, units FROM {LEGS} l
                         WHERE transfer_kind IN ({_UNUSED}) AND account = {_MEMBER} AND side = {_DEBIT}
                         UNION ALL
                         SELECT bucket, lot_id, unused_units FROM exchange.carried_lots
                         WHERE unused_units > 0) kept_and_left
                   GROUP BY bucket, lot_id) e USING (bucket, lot_id)
        WHERE u.units IS DISTINCT FROM e.units
    """,
    "idle accounts end so many days after what was last done with them": f"""
        SELECT bucket, member_id, currency_no, e.ends_at AS kept, k.ends_at AS recomputed, e.is_open, k.is_open AS open
        FROM exchange.account_ends e
        FULL JOIN (SELECT bucket, member_id, currency_no, available_units + overdrawn_units > 0 AS is_open,
                          max(active_at) + make_interval(days => c.expiry_days) AS ends_at
                   FROM exchange.accounts a
                   JOIN exchange.currencies c USING (currency_no)
                   JOIN (SELECT bucket, member_id, currency_no, max(occurred_at) AS active_at FROM {LEGS} l
                         WHERE account <> {_CIRCULATION}
                           AND transfer_kind NOT IN ({_RELEASE}, {_REVERSAL}, {_EXPIRE}, {_VOID})
                         GROUP BY bucket, member_id, currency_no
                         UNION ALL
                         SELECT bucket, member_id, currency_no, last_active_at FROM exchange.carried_accounts
                         WHERE last_active_at IS NOT NULL) l USING (bucket, member_id, currency_no)
                   WHERE c.expiry_kind = {_INACTIVITY}
                   GROUP BY bucket, member_id, currency_no, c.expiry_days) k USING (bucket, member_id, currency_no)
        WHERE e.ends_at IS DISTINCT FROM k.ends_at OR e.is_open IS DISTINCT FROM k.is_open
    """,
    "what is carried is what the latest spend or its reversal left": """
        SELECT bucket, member_id, rule_id, c.carried_minor AS kept, t.carried_minor AS latest
        FROM exchange.spend_carries c
        FULL JOIN (SELECT DISTINCT ON (bucket, member_id, rule_id) bucket, member_id, rule_id, carried_minor
                   FROM (SELECT bucket, member_id, earn_rule AS rule_id, carried_minor, ledger_sequence
                         FROM exchange.transfers WHERE earn_rule IS NOT NULL
                         UNION ALL
                         SELECT bucket, member_id, rule_id, carried_minor, -1
                         FROM exchange.carried_carries) kept_and_left
                   ORDER BY bucket, member_id, rule_id, ledger_sequence DESC) t USING (bucket, member_id, rule_id)
        WHERE c.carried_minor IS DISTINCT FROM t.carried_minor
    """,
    "a quote is used once, in time, for what it promised": f"""
        SELECT u.quote_id, u.transfer_id, t.occurred_at, q.expires_at, q.used_units, q.received_units, moved.used,
               moved.received
        FROM exchange.quote_uses u
        LEFT JOIN exchange.quotes q USING (bucket, quote_id)
        LEFT JOIN exchange.transfers t ON t.bucket = u.bucket AND t.transfer_id = u.transfer_id
        LEFT JOIN LATERAL (
            SELECT sum(units) FILTER (WHERE side = {_CREDIT} AND currency_no = q.source_no) AS used,
                   sum(units) FILTER (WHERE side = {_DEBIT} AND currency_no = q.target_no) AS received
            FROM unnest(t.legs) WHERE account = {_CIRCULATION}) moved ON true
        WHERE u.transfer_id >= {KEPT}
          AND (t.occurred_at NOT BETWEEN q.created_at AND q.expires_at OR t.occurred_at = q.expires_at
               OR t.kind IS DISTINCT FROM {_BEGUN} AND (
                  (q.merchant_no, q.member_id, q.rate_id, q.used_units) IS DISTINCT FROM
                  (t.merchant_no, t.member_id, t.rate_id, moved.used)
                  OR coalesce(moved.received, 0) < q.received_units OR t.kind <> 4))
    """,
    **STATEMENT_CHECKS,
    **WINDOW_CHECKS,
    "each transfer answers exactly one request, and each answered request its transfer": f"""
        SELECT t.transfer_id AS transfer, k.transfer_id AS answered, coalesce(t.request_id, k.request_id) AS request_id
        FROM exchange.transfers t
        FULL JOIN (SELECT * FROM exchange.request_keys WHERE transfer_id >= {KEPT}) k
            ON k.transfer_id = t.transfer_id AND k.transfer_bucket = t.bucket
           AND k.merchant_no = t.merchant_no AND k.request_id = t.request_id
        WHERE t.transfer_id IS NULL OR k.transfer_id IS NULL
    """,
    "points in circulation equal what members hold": f"""
        SELECT currency_no, c.units AS in_circulation, a.units AS with_members
        FROM (SELECT currency_no, sum(units) AS units
              FROM (SELECT currency_no, -{credit_less_debit()} AS units
                    FROM {LEGS} l WHERE account = {_CIRCULATION} GROUP BY currency_no
                    UNION ALL
                    SELECT currency_no, circulating_units FROM exchange.carried_currencies) kept_and_left
              GROUP BY currency_no) c
        FULL JOIN (SELECT currency_no, sum(available_units + held_units) AS units
                   FROM exchange.accounts GROUP BY currency_no) a
            USING (currency_no)
        WHERE coalesce(c.units, 0) <> coalesce(a.units, 0)
    """,
    "what was closed holds nothing, and nothing moved since but its end": f"""
        SELECT a.bucket, a.member_id, a.currency_no, a.available_units, a.held_units, a.is_closed
        FROM exchange.closed_members c JOIN exchange.accounts a USING (bucket, member_id)
        WHERE NOT a.is_closed
           OR (c.ended_at IS NOT NULL AND (a.available_units, a.held_units, a.overdrawn_units) <> (0, 0, 0))
        UNION ALL
        SELECT t.bucket, t.member_id, t.kind, t.ledger_sequence, NULL, NULL
        FROM exchange.closed_members c JOIN exchange.transfers t USING (bucket, member_id)
        WHERE t.occurred_at > c.closed_at AND t.kind NOT IN ({_RELEASE}, {_EXPIRE}, {_VOID}, {_COMPLETED})
        UNION ALL
        SELECT a.bucket, a.member_id, a.currency_no, NULL, NULL, a.is_closed
        FROM exchange.accounts a LEFT JOIN exchange.closed_members c USING (bucket, member_id)
        WHERE a.is_closed AND c.member_id IS NULL
    """,
    **BONUS_CHECKS,
    **EXPOSURE_CHECKS,
    **EXTERNAL_CHECKS,
    **RETIRED_CHECKS,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer: `differences` are the first rows that are wrong, as column → value."""

    check: str
    differences: list[dict[str, Any]]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.differences


async def audit(database: Database, progress: Callable[[str], None] = lambda _: None) -> list[Finding]:
    """Run every check in one snapshot of the ledger; `progress` hears the name of each before it runs."""
    findings = []
    async with database.read() as connection:
        await connection.execute(_MORE_MEMORY)
        for name, statement in CHECKS.items():
            progress(name)
            findings.append(Finding(name, await _first_rows(connection, statement)))
    return findings


async def _first_rows(connection: AsyncConnection, statement: str) -> list[dict[str, Any]]:
    # Planned as a whole: an answer is empty as a rule, and a plan for the first rows is slow to find that out.
    first = f"WITH wrong AS MATERIALIZED ({statement}) SELECT * FROM wrong LIMIT {DIFFERENCES_MAX}"
    rows = await connection.execute(text(first))
    return [{name: str(value) for name, value in row.items()} for row in rows.mappings()]
