"""Reading and writing bonuses: statements of their own, for batches that a promotion concerns, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger.bonuses import Bonus, BonusFacts, Budgets, GivenBonus
from exchange.ledger.decision import Target
from exchange.ledger.effects import Effects, transposed
from exchange.ledger.facts import MemberFacts
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import FollowUp, MemberCommand, Transfer, TransferKind
from exchange.ledger.quote import Terms
from exchange.ledger.reference import Promoted, Reference

ADDED_TO = frozenset({TransferKind.EARN, TransferKind.CONVERT})
"""Kinds of movements that promotions add to."""
WITH_BONUSES = ADDED_TO | {TransferKind.REVERSAL}
"""And those in which bonuses are given or taken back."""

# After the accounts, in order. A budget that is used up is not waited for, unless points may come back to it: then
# whoever would have given finds nothing, as if it had come a moment earlier.
LOCK_BUDGETS = """
SELECT promotion_no, used_units
FROM exchange.promotion_budgets
WHERE promotion_no = ANY($1::integer[]) AND (used_units < budget_units OR promotion_no = ANY($2::integer[]))
ORDER BY promotion_no
FOR UPDATE
"""

# The lock on the member's account guards the rest.
MEMBER_USES = """
SELECT u.member_id, u.promotion_no, u.used_units
FROM unnest($1::smallint[], $2::uuid[], $3::integer[]) AS asked (bucket, member_id, promotion_no)
JOIN exchange.promotion_members u USING (bucket, member_id, promotion_no)
"""

BONUSES_OF = """
SELECT given.transfer_id, given.promotion_no, given.lot_id, given.given_units,
       coalesce((SELECT sum(b.returned_units) FROM exchange.bonus_entries b
                 WHERE b.bucket = given.bucket AND b.lot_id = given.lot_id), 0)::bigint AS returned_units
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, transfer_id)
JOIN exchange.bonus_entries given USING (bucket, transfer_id)
WHERE given.given_units > 0
ORDER BY given.transfer_id, given.promotion_no
"""

PROMOTIONS_OF_LOTS = """
SELECT b.lot_id, b.promotion_no
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, lot_id)
JOIN exchange.bonus_entries b USING (bucket, lot_id)
WHERE b.given_units > 0
"""

ENTRIES_OF = """
SELECT b.transfer_id, b.promotion_no, b.currency_no, b.given_units, b.returned_units, b.lot_id
FROM unnest($1::smallint[], $2::uuid[]) AS asked (bucket, transfer_id)
JOIN exchange.bonus_entries b USING (bucket, transfer_id)
ORDER BY b.transfer_id, b.promotion_no
"""

# One round trip; its parts write different tables.
WRITE = """
WITH entries AS (
    INSERT INTO exchange.bonus_entries
        (bucket, lot_id, transfer_id, promotion_no, member_id, currency_no, given_units, returned_units)
    SELECT bucket, lot_id, transfer_id, promotion_no, member_id, currency_no, given_units, returned_units
    FROM unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::integer[], $5::uuid[], $6::integer[], $7::bigint[],
                $8::bigint[])
        AS e (bucket, lot_id, transfer_id, promotion_no, member_id, currency_no, given_units, returned_units)
), budgets AS (
    UPDATE exchange.promotion_budgets b SET used_units = u.used_units
    FROM unnest($9::integer[], $10::bigint[]) AS u (promotion_no, used_units)
    WHERE b.promotion_no = u.promotion_no
)
INSERT INTO exchange.promotion_members (bucket, member_id, promotion_no, used_units)
SELECT bucket, member_id, promotion_no, used_units
FROM unnest($11::smallint[], $12::uuid[], $13::integer[], $14::bigint[])
    AS u (bucket, member_id, promotion_no, used_units)
ORDER BY bucket, member_id, promotion_no
ON CONFLICT (bucket, member_id, promotion_no) DO UPDATE SET used_units = excluded.used_units
"""


class BonusReader:
    """Finds out what a batch may look at of promotions, each statement only where there is something to ask.

    Args:
        connection: in the batch's transaction, its accounts locked.
        reference: knows the promotions.
        found: facts by member, into which everything goes.
        now: event time.
    """

    def __init__(
        self, connection: DriverConnection, reference: Reference, found: Mapping[UUID, MemberFacts], now: datetime
    ) -> None:
        self._connection, self._reference, self._found, self._now = connection, reference, found, now
        self._touched: dict[UUID, dict[int, Promoted]] = {}
        self._returned: set[int] = set()

    async def read(
        self,
        commands: Iterable[MemberCommand],
        targets: Mapping[int, Target | None],
        quoted: Iterable[tuple[UUID, Terms]],
        followed: Iterable[tuple[FollowUp, Transfer]],
    ) -> Budgets:
        """What promotions may give these members, and may get back from them; every budget among it is locked.

        Args:
            commands: movements that name a member.
            targets: by `id(command)`: whom each is about.
            quoted: member and terms of conversions by a quote.
            followed: follow-ups and what they follow.
        """
        for command in commands:
            target = targets[id(command)]
            if target is not None:
                self._touch(target.member_id, self._reference.promotions_on(command, self._now))
        for member_id, terms in quoted:
            pair = (terms.source_no, terms.target_no)
            self._touch(member_id, self._reference.promotions_converting(*pair, self._now))
        given = await self._read_given([original for _, original in followed if original.kind in ADDED_TO])
        due = await self._read_due()
        budgets = Budgets(await self._lock_budgets())
        for member_id in {*self._touched, *given, *due}:
            self._found[member_id].bonuses = BonusFacts(
                budgets, given=given.get(member_id, {}), promotion_of=due.get(member_id, {})
            )
        await self._read_uses()
        return budgets

    def _touch(self, member_id: UUID, promotions: Iterable[Promoted]) -> None:
        for promotion in promotions:
            self._touched.setdefault(member_id, {})[promotion.number] = promotion

    async def _read_given(self, originals: Iterable[Transfer]) -> dict[UUID, dict[UUID, list[GivenBonus]]]:
        members = {original.transfer_id: original for original in originals if original.transfer_id is not None}
        given: dict[UUID, dict[UUID, list[GivenBonus]]] = {}
        if members:
            buckets = [original.bucket for original in members.values()]
            for row in await self._connection.fetch(BONUSES_OF, buckets, list(members)):
                member_id, promotion = members[row[0]].member_id, self._reference.promotion(row[1])
                given.setdefault(member_id, {}).setdefault(row[0], []).append(GivenBonus(*row[1:]))
                self._touch(member_id, [promotion])
                self._returned.add(promotion.number)
        return given

    async def _read_due(self) -> dict[UUID, dict[UUID, int]]:
        owners = {
            lot_id: (account.bucket, member_id)
            for member_id, facts in self._found.items()
            for account in facts.accounts.values()
            for lot_id in _may_end(account, facts)
        }
        due: dict[UUID, dict[UUID, int]] = {}
        if owners:
            buckets = [bucket for bucket, _ in owners.values()]
            for lot_id, promotion_no in await self._connection.fetch(PROMOTIONS_OF_LOTS, buckets, list(owners)):
                due.setdefault(owners[lot_id][1], {})[lot_id] = promotion_no
        return due

    async def _lock_budgets(self) -> dict[int, int]:
        numbers = {number for touched in self._touched.values() for number, one in touched.items() if one.budget_units}
        if not numbers:
            return {}
        rows = await self._connection.fetch(LOCK_BUDGETS, sorted(numbers), sorted(self._returned))
        return {row[0]: row[1] for row in rows}

    async def _read_uses(self) -> None:
        asked = []
        for member_id, touched in self._touched.items():
            facts = self._found[member_id]
            assert facts.bonuses is not None
            for number in (number for number, one in touched.items() if one.member_cap_units):
                facts.bonuses.used[number] = 0
                asked.append((facts.bucket, member_id, number))
        if asked:
            for row in await self._connection.fetch(MEMBER_USES, *transposed(asked, 3)):
                bonuses = self._found[row[0]].bonuses
                assert bonuses is not None
                bonuses.used[row[1]] = row[2]


def _may_end(account: MemberAccount, facts: MemberFacts) -> Iterable[UUID]:
    """Lots of which points may end in this batch."""
    ends_at = facts.notes.ends.get(account.currency_no)
    if ends_at is not None and ends_at <= facts.now:
        return account.known
    return (*(account.due or ()), *(account.whole or ()))


async def bonuses_of(connection: DriverConnection, transfers: Sequence[tuple[int, UUID]]) -> dict[UUID, list[Bonus]]:
    """What promotions did in transfers, named (bucket, id); those in which they did nothing are left out."""
    if not transfers:
        return {}
    return by_transfer(tuple(row) for row in await connection.fetch(ENTRIES_OF, *transposed(transfers, 2)))


def by_transfer(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[Bonus]]:
    """Bonuses of rows as `ENTRIES_OF` has them."""
    found: dict[UUID, list[Bonus]] = {}
    for transfer_id, promotion_no, currency_no, given, returned, lot_id in rows:
        bonus = Bonus(promotion_no, currency_no, given or returned, bool(returned), lot_id)
        found.setdefault(transfer_id, []).append(bonus)
    return found


async def write_bonuses(connection: DriverConnection, effects: Effects) -> None:
    """What a batch gave and took back; budgets and members' uses as they are after it."""
    await connection.execute(
        WRITE, *transposed(effects.bonuses, 8), *transposed(effects.budgets, 2), *transposed(effects.bonus_uses, 4)
    )
