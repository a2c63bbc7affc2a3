"""One transaction of the ledger: facts → decision → effects, for whatever was waiting.

A batch is tried whole. It starts again when the directory changed under it or somebody else used one of its keys;
nothing of an abandoned try is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.decision import Decision, Outcome
from exchange.ledger.facts import MemberAccount, MemberFacts
from exchange.ledger.keys import KnownKeys
from exchange.ledger.model import Command, Lot, MemberKey, Posting, TransferKind
from exchange.refusals import LedgerHalted

AccountKey = tuple[int, UUID, int]


class Reference(Protocol):
    """What rules need beside the member: the coalition's directory and rates, as of one version."""

    @property
    def version(self) -> int:
        """Which version of the coalition this is."""
        ...

    @property
    def time_zone(self) -> ZoneInfo:
        """In which the coalition's days begin."""
        ...

    @property
    def has_daily_caps(self) -> bool:
        """Whether any rate caps what a member converts in a day."""
        ...

    def currency_no(self, code: str) -> int | None:
        """The number of a currency code, None when there is none."""
        ...


R = TypeVar("R", bound=Reference)
R_co = TypeVar("R_co", bound=Reference, covariant=True)
Decide = Callable[[Command, MemberFacts, R], Posting]


class ReferenceSource(Protocol[R_co]):
    """Keeps the reference data in memory and reads it anew when its version has moved."""

    async def current(self) -> R_co:
        """What is in memory; it may lag behind."""
        ...

    async def reload(self) -> R_co:
        """Read anew."""
        ...


class StartAgain(Exception):
    """The batch was decided on grounds that no longer hold; nothing was written."""


class Caches:
    """What one process remembers between batches. Links and accounts are never taken away, so a hit is always true."""

    LIMIT = 500_000

    def __init__(self) -> None:
        self.members: dict[MemberKey, tuple[int, UUID]] = {}
        self.accounts: set[AccountKey] = set()

    def trim(self) -> None:
        """Forget everything once it has grown past the limit: simpler than choosing, and rare."""
        if len(self.members) > self.LIMIT:
            self.members.clear()
        if len(self.accounts) > self.LIMIT:
            self.accounts.clear()


class Batch(Generic[R]):
    """One try at a batch on one connection."""

    def __init__(
        self, connection: DriverConnection, groups: Sequence[tuple[Sequence[Command], bool]], reference: R
    ) -> None:
        self.connection = connection
        self.groups = groups
        self.commands = [command for commands, _ in groups for command in commands]
        self.reference = reference
        self.members: dict[MemberKey, tuple[int, UUID] | None] = {}

    async def run(self, source: ReferenceSource[R], decide: Decide[R], slice_no: int, caches: Caches) -> list[Outcome]:
        """Facts, decision, effects, commit. One outcome a command, in their order.

        Raises:
            StartAgain: try once more, with `source`'s newer reference.
        """
        await self.connection.execute(sql.BEGIN)
        try:
            await self._find_members(caches)
            accounts = await self._lock_accounts(caches)
            moment = await self.connection.fetchrow(sql.MOMENT)
            assert moment is not None, "the coalition was never set up"
            if moment["halted_at"] is not None:
                raise LedgerHalted(since=moment["halted_at"].isoformat())
            if moment["directory_version"] != self.reference.version:
                # The fence is held, so the directory stands still until this try has ended.
                await source.reload()
                raise StartAgain
            known = await KnownKeys.read(self.connection, self.commands)
            facts = await self._facts(accounts, moment["now"])
            decision = Decision(
                facts=facts,
                members=self.members,
                known=known,
                window_no=moment["window_no"],
                first_sequence=moment["block"] * sql.BLOCK_UNITS,
                now=moment["now"],
                slice_no=slice_no,
            )
            outcomes = decision.decide_all(self.groups, lambda command, seen: decide(command, seen, self.reference))
            if decision.writes_something:
                await self._write(decision)
            await self.connection.execute("COMMIT")
        except BaseException:
            if not self.connection.is_closed():
                await self.connection.execute("ROLLBACK")
            raise
        caches.accounts.update(accounts)
        caches.trim()
        return outcomes

    async def _find_members(self, caches: Caches) -> None:
        unknown: dict[MemberKey, None] = {}
        for command in self.commands:
            found = caches.members.get(command.member)
            self.members[command.member] = found
            if found is None:
                unknown[command.member] = None
        by_id = [key for key in unknown if key.member_id is not None]
        by_reference = [key for key in unknown if key.member_id is None]
        if by_id:
            for row in await self.connection.fetch(
                sql.MEMBERS_BY_ID, [key.merchant_no for key in by_id], [key.member_id for key in by_id]
            ):
                self._found(MemberKey(row[0], row[1], None), row[2], row[1], caches)
        if by_reference:
            for row in await self.connection.fetch(
                sql.MEMBERS_BY_REFERENCE,
                [key.merchant_no for key in by_reference],
                [key.reference for key in by_reference],
            ):
                self._found(MemberKey(row[0], None, row[1]), row[3], row[2], caches)

    def _found(self, key: MemberKey, bucket: int, member_id: UUID, caches: Caches) -> None:
        self.members[key] = caches.members[key] = (bucket, member_id)

    async def _lock_accounts(self, caches: Caches) -> dict[AccountKey, MemberAccount]:
        wanted: set[AccountKey] = set()
        for command in self.commands:
            member = self.members[command.member]
            if member is None:
                continue
            for code in (*(code for code, _ in command.debits), *command.credits):
                currency_no = self.reference.currency_no(code)
                if currency_no is not None:
                    wanted.add((*member, currency_no))
        if not wanted:
            return {}
        missing = sorted(wanted - caches.accounts)
        if missing:
            await self.connection.execute(sql.ENSURE_ACCOUNTS, *_columns(missing))
        rows = await self.connection.fetch(sql.LOCK_ACCOUNTS, *_columns(sorted(wanted)))
        assert len(rows) == len(wanted), "an account vanished"
        return {(row[0], row[1], row[2]): MemberAccount(row[0], row[1], row[2], row[3], row[4]) for row in rows}

    async def _facts(self, accounts: dict[AccountKey, MemberAccount], now: datetime) -> dict[UUID, MemberFacts]:
        today = now.astimezone(self.reference.time_zone).date()
        facts: dict[UUID, MemberFacts] = {}
        buckets: dict[UUID, int] = {}
        for member in self.members.values():
            if member is not None:
                buckets[member[1]] = member[0]
                facts[member[1]] = MemberFacts(now, today, member[1], {})
        for (_, member_id, currency_no), account in accounts.items():
            facts[member_id].accounts[currency_no] = account
        await self._read_lots(facts, now)
        if self.reference.has_daily_caps and any(c.kind == TransferKind.CONVERT for c in self.commands):
            for row in await self.connection.fetch(
                sql.DAILY_CONVERSIONS, list(buckets.values()), list(buckets.keys()), today
            ):
                facts[row[0]].daily_used[(row[1], row[2])] = row[3]
        return facts

    async def _read_lots(self, facts: dict[UUID, MemberFacts], now: datetime) -> None:
        wanted: dict[AccountKey, int] = {}
        for command in self.commands:
            member = self.members[command.member]
            for code, units in command.debits:
                currency_no = self.reference.currency_no(code)
                if member is not None and currency_no is not None:
                    key = (*member, currency_no)
                    wanted[key] = wanted.get(key, 0) + units
        if not wanted:
            return
        for row in await self.connection.fetch(sql.SPENDABLE_LOTS, *_columns(list(wanted)), list(wanted.values()), now):
            lot = Lot(row[2], row[3], row[4], row[5], row[6], row[7])
            facts[row[0]].accounts[row[1]].lots.append(lot)

    async def _write(self, decision: Decision) -> None:
        effects = decision.effects()
        written = await self.connection.fetchval(sql.EFFECTS, *effects.arguments())
        if written != len(effects.keys):
            raise StartAgain
        if effects.daily:
            await self.connection.execute(sql.USE_DAILY_CAPS, *effects.daily_columns())


def _columns(keys: Sequence[AccountKey]) -> tuple[list[int], list[UUID], list[int]]:
    return [key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]
