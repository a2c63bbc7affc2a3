"""Reading, locking and writing daily counts: for batches that touch a currency with a daily limit, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger.effects import transposed
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Command, FollowUp, TransferKind
from exchange.ledger.quotas import ISSUING, Quotas
from exchange.ledger.reference import AccountKey, Reference

# The lock on the member's account guards them.
MEMBER_DAYS = """
SELECT d.bucket, d.member_id, d.currency_no, d.earned_units, d.used_units
FROM unnest($1::smallint[], $2::uuid[], $3::integer[]) AS asked (bucket, member_id, currency_no)
JOIN exchange.member_days d USING (bucket, member_id, currency_no)
WHERE d.day = $4
"""

# Rows that do not exist cannot be locked, so they are made first, in the same order as the locks.
ENSURE_ISSUANCE = """
INSERT INTO exchange.issuance_days (currency_no, day, issued_units)
SELECT number, $2, 0 FROM unnest($1::integer[]) AS number ORDER BY number
ON CONFLICT DO NOTHING
"""

# After accounts and budgets, before exposures; in order.
LOCK_ISSUANCE = """
SELECT currency_no, issued_units FROM exchange.issuance_days
WHERE currency_no = ANY($1::integer[]) AND day = $2
ORDER BY currency_no
FOR UPDATE
"""

WRITE_MEMBERS = """
INSERT INTO exchange.member_days (bucket, member_id, currency_no, day, earned_units, used_units)
SELECT bucket, member_id, currency_no, $6, earned_units, used_units
FROM unnest($1::smallint[], $2::uuid[], $3::integer[], $4::bigint[], $5::bigint[])
    AS counted (bucket, member_id, currency_no, earned_units, used_units)
ORDER BY bucket, member_id, currency_no
ON CONFLICT (bucket, member_id, currency_no, day) DO UPDATE
SET earned_units = excluded.earned_units, used_units = excluded.used_units
"""

WRITE_ISSUANCE = """
UPDATE exchange.issuance_days i SET issued_units = n.issued_units
FROM unnest($1::integer[], $2::bigint[]) AS n (currency_no, issued_units)
WHERE i.currency_no = n.currency_no AND i.day = $3
"""


async def read_quotas(
    connection: DriverConnection,
    reference: Reference,
    commands: Iterable[Command],
    accounts: Iterable[AccountKey],
    facts: MemberFacts,
) -> Quotas | None:
    """Today's counts of what a batch may count; None: no currency of it has a daily limit.

    Args:
        connection: in the batch's transaction, its accounts and budgets locked.
        reference: knows the limits.
        commands: of the batch.
        accounts: that are locked.
        facts: of any member: they know the day.
    """
    limits, today = reference.points_limits, facts.today
    limited = [key for key in accounts if key[2] in limits]
    if not limited:
        return None
    counted = sorted(key for key in limited if limits[key[2]].counts_members)
    members: dict[tuple[int, UUID, int], tuple[int, int]] = {}
    if counted:
        for row in await connection.fetch(MEMBER_DAYS, *transposed(counted, 3), today):
            members[row[0], row[1], row[2]] = (row[3], row[4])
    numbers: list[int] = []
    if any(map(_makes_points, commands)):
        numbers = sorted({number for _, _, number in limited if limits[number].issuance_units})
    issued: dict[int, int] = {}
    if numbers:
        await connection.execute(ENSURE_ISSUANCE, numbers, today)
        issued = {row[0]: row[1] for row in await connection.fetch(LOCK_ISSUANCE, numbers, today)}
    return Quotas(limits, members, issued, reference.time_zone, reference.issuer_no, reference.currency_name)


def _makes_points(command: Command) -> bool:
    """Or takes back what was made, or counted as such."""
    ends = isinstance(command, FollowUp) and command.pair is not None
    return command.kind in ISSUING or command.kind == TransferKind.REVERSAL or ends


async def write_quotas(
    connection: DriverConnection,
    members: Sequence[tuple[int, UUID, int, int, int]],
    issues: Sequence[tuple[int, int]],
    today: date,
) -> None:
    """Today's counts as a batch leaves them."""
    if members:
        await connection.execute(WRITE_MEMBERS, *transposed(members, 5), today)
    if issues:
        await connection.execute(WRITE_ISSUANCE, *transposed(issues, 2), today)
