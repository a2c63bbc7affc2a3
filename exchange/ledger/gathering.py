"""How a batch begins: whom its commands touch, their accounts locked, and what holds from then on.

What else the rules may look at is read under these locks: `fact_reading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from exchange.db.engine import DriverConnection
from exchange.ledger import sql
from exchange.ledger.caches import Caches
from exchange.ledger.decision import Target
from exchange.ledger.key_rows import read_transfers
from exchange.ledger.keys import key_names
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import (
    Command,
    FollowUp,
    Lot,
    MemberCommand,
    MemberKey,
    Transfer,
    transfer_bucket,
)
from exchange.ledger.quote import Quote, quote_of
from exchange.ledger.reference import AccountKey, Reference
from exchange.ledger.retired import retired_seen_by
from exchange.money.limits import INT64_MAX
from exchange.refusals import Refusal


class Moment(NamedTuple):
    """What holds for a batch from its locks to its commit.

    Attributes:
        now: event time.
        directory_version: of the directory and rates in force.
        halted_at: since when nobody's movements are taken.
        window_no: the open window.
        block: which block of ledger sequences is the batch's.
        known_keys: how many of its keys were answered before.
    """

    now: datetime
    directory_version: int
    halted_at: datetime | None
    window_no: int
    block: int
    known_keys: int


class Gathering:
    """What one batch finds out, in the order it asks."""

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
        self._debits: list[tuple[AccountKey, int]] = []

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
        unknown = {
            command.member
            for command in self.members
            if command.located is None and command.member not in caches.members
        }
        by_id = [key for key in unknown if key.member_id is not None]
        by_reference = [key for key in unknown if key.member_id is None]
        if by_id:
            for row in await self.connection.fetch(
                sql.MEMBERS_BY_ID, [key.merchant_no for key in by_id], [key.member_id for key in by_id]
            ):
                caches.members[MemberKey(row[0], row[1], None)] = Target(row[2], row[1])
        if by_reference:
            for row in await self.connection.fetch(
                sql.MEMBERS_BY_REFERENCE,
                [key.merchant_no for key in by_reference],
                [key.reference for key in by_reference],
            ):
                caches.members[MemberKey(row[0], None, row[1])] = Target(row[3], row[2])
        for command in self.members:
            located = command.located
            self.targets[id(command)] = caches.members.get(command.member) if located is None else Target(*located)

    async def lock_accounts(self, caches: Caches) -> dict[AccountKey, MemberAccount]:
        """Every account a command may touch, made first if need be, locked in order."""
        wanted: set[AccountKey] = set()
        for command in self.members:
            target = self.targets[id(command)]
            if target is not None:
                self._want(command, target, wanted)
        for follow_up, original in self.followed():
            target = self.targets[id(follow_up)]
            assert target is not None
            wanted.update((*target, leg.currency_no) for leg in original.legs)
            wanted.update((*target, number) for number in follow_up.pair or ())
            # A spend that made no points has no legs; its carry is guarded by the same account all the same.
            number = original.earn_rule and self.reference.earn_rule_currency_no(original.earn_rule)
            if number:
                wanted.add((*target, number))
        for target, quote in self.promised():
            wanted.update((*target, number) for number in (quote.terms.source_no, quote.terms.target_no))
        if not wanted:
            return {}
        missing = sorted(wanted - caches.accounts)
        if missing:
            await self.connection.execute(sql.ENSURE_ACCOUNTS, missing)
        keys = sorted(wanted)
        rows = await self.connection.fetch(sql.LOCK_ACCOUNTS, keys)
        assert len(rows) == len(keys), "an account vanished"
        return {keys[row[0] - 1]: MemberAccount(*keys[row[0] - 1], *row[1:]) for row in rows}

    async def moment(self, accounts: dict[AccountKey, MemberAccount]) -> Moment:
        """What holds from now on, and the lots that may be spent put into their accounts. After the locks."""
        wanted = self._wanted_points()
        wants = [(*key, min(units, INT64_MAX)) for key, units in wanted.items()]
        first, *lots = await self.connection.fetch(sql.MOMENT, key_names(self.commands), wants)
        asked = [accounts[key] for key in wanted]
        for row in lots:
            asked[row[0] - 1].offer(Lot._make(row[1:8]))
        moment = Moment(*first[8:])
        if len(lots) >= sql.LOTS_AT_FIRST:
            await self._offer_more(moment, wanted, accounts)
        return moment

    async def _offer_more(
        self, moment: Moment, wanted: Mapping[AccountKey, int], accounts: Mapping[AccountKey, MemberAccount]
    ) -> None:
        """Every lot that may be spent of accounts whose first ones are not enough."""
        short = [
            key
            for key, units in wanted.items()
            if len(accounts[key].lots) == sql.LOTS_AT_FIRST and sum(lot.remaining for lot in accounts[key].lots) < units
        ]
        if short:
            for key in short:
                accounts[key].lots.clear()
            wants = [(*key, min(wanted[key], INT64_MAX)) for key in short]
            for row in await self.connection.fetch(sql.MORE_LOTS, wants, moment.now):
                accounts[short[row[0] - 1]].offer(Lot._make(row[1:8]))

    def _wanted_points(self) -> dict[AccountKey, int]:
        """How many points the batch may take of which account. Too much looked at is harmless."""
        wanted: dict[AccountKey, int] = {}
        for key, units in self._debits:
            wanted[key] = wanted.get(key, 0) + units
        for follow_up, original in self.followed():
            target = self.targets[id(follow_up)]
            assert target is not None
            for leg in original.legs:
                # What a reversal may take back.
                key = (*target, leg.currency_no)
                wanted[key] = wanted.get(key, 0) + leg.units
        for target, quote in self.promised():
            key = (*target, quote.terms.source_no)
            wanted[key] = wanted.get(key, 0) + quote.terms.used_units
        return wanted

    def _want(self, command: MemberCommand, target: Target, wanted: set[AccountKey]) -> None:
        """The accounts a command may touch, and what it may take of them noted."""
        bucket, member_id = target
        if command.spend_rule is not None:
            number = self.reference.earn_rule_currency_no(command.spend_rule)
            if number is not None:
                wanted.add((bucket, member_id, number))
            return
        for code, units in command.debits:
            number = self.reference.currency_no(code)
            if number is not None:
                key = (bucket, member_id, number)
                wanted.add(key)
                self._debits.append((key, units))
        for code in command.credits:
            number = self.reference.currency_no(code)
            if number is not None:
                wanted.add((bucket, member_id, number))

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
