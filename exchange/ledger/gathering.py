"""How a batch begins: whom its commands touch, their accounts locked, and what holds from then on.

What else the rules may look at is read under these locks: `fact_reading`.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.caches import Caches
from exchange.ledger.decision import Target
from exchange.ledger.key_rows import read_transfers
from exchange.ledger.keys import key_names
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.memory import Memory, Moment
from exchange.ledger.model import (
    Command,
    FollowUp,
    MemberCommand,
    MemberKey,
    Transfer,
    transfer_bucket,
)
from exchange.ledger.quote import Quote, quote_of
from exchange.ledger.reference import AccountKey, Reference
from exchange.ledger.retired import retired_seen_by
from exchange.ledger.wanting import (
    Wanting,
    all_plain,
    known_targets,
    locked_accounts,
    offer_lots,
    seen_accounts,
    wants_of,
)
from exchange.refusals import Refusal


class Grounds(NamedTuple):
    """What a batch is decided on.

    Attributes:
        accounts: every account a command may touch, with the lots that may be spent.
        moment: what holds.
        remembered: whether some of it was not looked at.
        unwritten: what has to be written first, for that to be true.
        epoch: of what is remembered, into which the batch may keep its accounts; None: it may not.
    """

    accounts: dict[AccountKey, MemberAccount]
    moment: Moment
    remembered: bool = False
    unwritten: Collection[Future[bool]] = ()
    epoch: int | None = None


class Gathering:
    """What one batch finds out, in the order it asks.

    Attributes:
        are_plain: whether all that the commands look at and leave are accounts, lots and what every movement leaves.
            Whatever else there is, is read by statements of its own, under the locks that guard it.
    """

    def __init__(self, connection: DriverConnection, commands: Sequence[Command], reference: Reference) -> None:
        self.connection = connection
        self.reference = reference
        self.commands = commands
        self.members = [command for command in commands if isinstance(command, MemberCommand)]
        self.follow_ups = [command for command in commands if isinstance(command, FollowUp)]
        self.quoted = [(command, command.quote) for command in self.members if command.quote is not None]
        self.originals: dict[UUID, Transfer] = {}
        self.quotes: dict[UUID, Quote] = {}
        self.targets: dict[int, Target | None] = {}
        self.gone: dict[int, Refusal] = {}
        self.are_plain = self._are_plain()
        self._wanting = Wanting(reference)

    async def find(self, caches: Caches) -> None:
        """Whose accounts each command touches; what is found here never changes, so no lock is needed yet."""
        await self._find_members(caches)
        if self.quoted:
            asked = {quote_id for _, quote_id in self.quoted}
            rows = await self.connection.fetch(sql.QUOTES, [transfer_bucket(name) for name in asked], list(asked))
            self.quotes = {row[0]: quote_of(tuple(row)) for row in rows}
        if self.follow_ups:
            names = {command.original for command in self.follow_ups}
            self.originals = await read_transfers(self.connection, [(transfer_bucket(name), name) for name in names])
            if len(self.originals) < len(names):
                await self._find_gone()
        for command in self.follow_ups:
            original = self.originals.get(command.original)
            own = original is not None and original.merchant_no == command.merchant_no
            self.targets[id(command)] = Target(original.bucket, original.member_id) if original and own else None

    async def _find_gone(self) -> None:
        """Which originals are missing because they have left the ledger."""
        retired = await retired_seen_by(self.connection)
        if retired is not None:
            for command in self.follow_ups:
                if command.original not in self.originals and retired.has(command.original):
                    self.gone[id(command)] = retired.refusal(f"transfers/{command.original}")

    async def _find_members(self, caches: Caches) -> None:
        unknown = known_targets(self.members, caches.members, self.targets)
        if not unknown:
            return
        # Of what was found, not of what is kept: another batch may have had all of that forgotten meanwhile.
        found = await self._ask_for_members(unknown)
        caches.members.update(found)
        for command in self.members:
            if self.targets[id(command)] is None:
                self.targets[id(command)] = found.get(command.member)

    async def _ask_for_members(self, unknown: Collection[MemberKey]) -> dict[MemberKey, Target]:
        found: dict[MemberKey, Target] = {}
        by_id = [key for key in unknown if key.member_id is not None]
        by_reference = [key for key in unknown if key.member_id is None]
        if by_id:
            for row in await self.connection.fetch(
                sql.MEMBERS_BY_ID, [key.merchant_no for key in by_id], [key.member_id for key in by_id]
            ):
                found[MemberKey(row[0], row[1], None)] = Target(row[2], row[1])
        if by_reference:
            for row in await self.connection.fetch(
                sql.MEMBERS_BY_REFERENCE,
                [key.merchant_no for key in by_reference],
                [key.reference for key in by_reference],
            ):
                found[MemberKey(row[0], None, row[1])] = Target(row[3], row[2])
        return found

    def _are_plain(self) -> bool:
        reference = self.reference
        if self.follow_ups or reference.idle_after or reference.has_promotions or reference.points_limits:
            return False
        if reference.capped:
            return False
        return all_plain(self.members, conversions_are=not (reference.capped_since or reference.keepers))

    async def look(self, memory: Memory | None) -> Grounds:
        """Every account a command may touch with the lots that may be spent, and what holds, without any lock.

        What is remembered is not asked for; when all is, nothing is asked.
        """
        self._wanting.want_all(self.members, self.targets)
        if memory is None:
            return Grounds(*await self._look_at_all())
        is_said_again = memory.keys.has_any(self.commands)
        if is_said_again:
            # A key that is just being written would not be found yet, and the batch would be in vain.
            for written in memory.being_written():
                await asyncio.shield(written)
        epoch, known = memory.epoch, memory.moment(monotonic())
        if known is not None and known.directory_version == self.reference.version:
            keys, points = sorted(self._wanting.accounts), self._wanting.points
            accounts, unwritten = memory.take(keys, points, known.now)
            if len(accounts) == len(keys) and not is_said_again:
                return Grounds(accounts, memory.at(known), True, unwritten, epoch)
            if accounts:
                found, moment = await self._look([key for key in keys if key not in accounts], sql.LOTS_AT_FIRST)
                memory.asked(moment, monotonic())
                accounts |= found
                holds = memory.epoch == epoch and memory.fits(moment)
                if holds and not _short(points, found) and _are_enough(accounts, points, moment.now):
                    return Grounds(accounts, memory.at(moment), True, unwritten, epoch)
        accounts, moment = await self._look_at_all()
        memory.asked(moment, monotonic())
        return Grounds(accounts, moment, epoch=memory.epoch if memory.fits(moment) else None)

    async def _look_at_all(self) -> tuple[dict[AccountKey, MemberAccount], Moment]:
        """The same, nothing remembered, all of it as of one instant.

        An account whose next entry had an earlier time than its last would stand in no month's statements.
        """
        keys = sorted(self._wanting.accounts)
        seen = await self._look(keys, sql.LOTS_AT_FIRST)
        return await self._look(keys, None) if _short(self._wanting.points, seen[0]) else seen

    async def _look(
        self, keys: Sequence[AccountKey], lots_max: int | None
    ) -> tuple[dict[AccountKey, MemberAccount], Moment]:
        wants = wants_of(self._wanting.points, keys)
        first, *rows = await self.connection.fetch(sql.LOOK, key_names(self.commands), wants, lots_max)
        moment = Moment(*first[13:])
        return seen_accounts(keys, rows, self._wanting.points, moment.now), moment

    async def lock_accounts(self, caches: Caches) -> dict[AccountKey, MemberAccount]:
        """Every account a command may touch, made first if need be, locked in order."""
        wanting = self._wanting
        wanting.want_all(self.members, self.targets)
        for follow_up, original in self.followed():
            target = self.targets[id(follow_up)]
            assert target is not None
            wanting.follow(target, original, follow_up.pair)
        for target, quote in self.promised():
            wanting.keep_promise(target, quote.terms)
        if not wanting.accounts:
            return {}
        missing = sorted(wanting.accounts - caches.accounts)
        if missing:
            await self.connection.execute(sql.ENSURE_ACCOUNTS, missing)
        keys = sorted(wanting.accounts)
        rows = await self.connection.fetch(sql.LOCK_ACCOUNTS, keys)
        assert len(rows) == len(keys), "an account vanished"
        return locked_accounts(keys, rows)

    async def moment(self, accounts: dict[AccountKey, MemberAccount]) -> Moment:
        """What holds from now on, and the lots that may be spent put into their accounts. After the locks."""
        points = self._wanting.points
        first, *lots = await self.connection.fetch(
            sql.MOMENT, key_names(self.commands), wants_of(points, points), sql.LOTS_AT_FIRST
        )
        offer_lots([accounts[key] for key in points], lots)
        moment = Moment(*first[8:])
        if len(lots) >= sql.LOTS_AT_FIRST:
            await self._offer_more(moment, points, accounts)
        return moment

    async def _offer_more(
        self, moment: Moment, points: Mapping[AccountKey, int], accounts: Mapping[AccountKey, MemberAccount]
    ) -> None:
        """Every lot that may be spent of accounts whose first ones are not enough."""
        short = _short(points, accounts)
        if short:
            for key in short:
                accounts[key].lots.clear()
            rows = await self.connection.fetch(sql.MORE_LOTS, wants_of(points, short), moment.now)
            offer_lots([accounts[key] for key in short], rows)

    def followed(self) -> Iterable[tuple[FollowUp, Transfer]]:
        """Follow-ups whose original was found and is the caller's."""
        for command in self.follow_ups:
            if self.targets[id(command)] is not None:
                yield command, self.originals[command.original]

    def promised(self) -> Iterable[tuple[Target, Quote]]:
        """Quotes that are named by the merchant they were given to, for the member they were given for."""
        for command, quote_id in self.quoted:
            target, quote = self.targets[id(command)], self.quotes.get(quote_id)
            if target is not None and quote is not None and quote.is_for(command.merchant_no, target.member_id):
                yield target, quote


def _are_enough(accounts: Mapping[AccountKey, MemberAccount], points: Mapping[AccountKey, int], now: datetime) -> bool:
    """Whether what is known of each account is enough at a time at which lots may have ended since it was taken."""
    return all(accounts[key].covers(units, now) for key, units in points.items())


def _short(points: Mapping[AccountKey, int], accounts: Mapping[AccountKey, MemberAccount]) -> list[AccountKey]:
    """Those of the accounts whose first lots are not enough, and that may have more."""
    return [
        key
        for key, units in points.items()
        if key in accounts and len(accounts[key].lots) == sql.LOTS_AT_FIRST and accounts[key].spendable < units
    ]
