"""What the rules may look at beside the accounts, read under a batch's locks.

Each reading is rare: it is asked only when some command of the batch needs it, and in a plain batch none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from exchange.ledger import sql
from exchange.ledger.bonus_rows import BonusReader
from exchange.ledger.bonuses import Budgets
from exchange.ledger.decision import Target
from exchange.ledger.external_rows import read_references
from exchange.ledger.facts import MemberFacts
from exchange.ledger.gathering import Gathering
from exchange.ledger.legs import converted_pair
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Account, Lot, Progress, TransferKind, transfer_bucket
from exchange.ledger.notes import Converting, read_carried, read_daily, read_due, read_ends, read_unused, read_whole
from exchange.ledger.reference import AccountKey
from exchange.ledger.wanting import members_of

_EXPIRE: Final = TransferKind.EXPIRE
_VOID: Final = TransferKind.VOID
_DEBIT_ADJUSTMENT: Final = TransferKind.DEBIT_ADJUSTMENT


class FactReader:
    """Reads for one batch, whose accounts are locked unless it is plain."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._connection, self._reference = gathering.connection, gathering.reference

    async def read(self, accounts: dict[AccountKey, MemberAccount], now: datetime) -> dict[UUID, MemberFacts]:
        """Everything the rules may look at, by member. After the locks, where there are any."""
        today = now.astimezone(self._reference.time_zone).date()
        found = members_of(self._gathering.targets.values(), accounts, now, today)
        if self._gathering.are_plain:
            return found
        await self._read_followed(found, now)
        if self._reference.idle_after:
            await read_ends(self._connection, self._reference, found)
        due, whole = self._asked_to_end()
        await read_due(self._connection, due, found, now)
        await read_whole(self._connection, whole, found, now)
        await read_carried(self._connection, set(self._spent()), found)
        if self._gathering.quoted:
            await self._read_promised(found)
        if self._reference.keepers:
            for member_id, merchant_no, known_as in await read_references(self._connection, self._kept_elsewhere()):
                found[member_id].notes.references[merchant_no] = known_as
        if self._reference.capped_since:
            await read_daily(self._connection, self._reference, set(self._converted_pairs()), found, today)
        return found

    def _asked_to_end(self) -> tuple[set[AccountKey], set[AccountKey]]:
        """Accounts of which what is due ends, and accounts of which anything may."""
        due: set[AccountKey] = set()
        whole: set[AccountKey] = set()
        for command in self._gathering.members:
            kind = command.kind
            if kind is _EXPIRE or kind is _VOID or kind is _DEBIT_ADJUSTMENT:
                target, number = self._gathering.targets[id(command)], self._reference.currency_no(command.currency)
                if target is not None and number is not None:
                    (due if kind is _EXPIRE else whole).add((*target, number))
        return due, whole

    def _spent(self) -> Iterable[tuple[Target, str]]:
        """Whose spend under which earn rule is counted, or given back."""
        for command in self._gathering.members:
            target = self._gathering.targets[id(command)]
            if command.spend_rule is not None and target is not None:
                yield target, command.spend_rule
        for follow_up, original in self._gathering.followed():
            target = self._gathering.targets[id(follow_up)]
            if original.earn_rule is not None and target is not None:
                yield target, original.earn_rule

    def overdue(self, found: dict[UUID, MemberFacts]) -> list[AccountKey]:
        """Accounts with points that have ended by inactivity, unless the batch only ends and gives back."""
        if all(command.kind in {_EXPIRE, TransferKind.RELEASE} for command in self._gathering.commands):
            return []
        return [
            (facts.bucket, member_id, number)
            for member_id, facts in found.items()
            for number, ends_at in facts.notes.ends.items()
            if ends_at <= facts.now and facts.accounts[number].available + facts.accounts[number].overdrawn > 0
        ]

    async def bonuses(self, found: dict[UUID, MemberFacts], now: datetime) -> Budgets:
        """What promotions may give and get back in this batch, into `found`; their budgets, locked."""
        quoted = [(target.member_id, quote.terms) for target, quote in self._gathering.promised()]
        reader = BonusReader(self._connection, self._reference, found, now)
        return await reader.read(self._gathering.members, self._gathering.targets, quoted, self._gathering.followed())

    def _converted_pairs(self) -> Iterable[Converting]:
        """Whose points of which source a command turns into which target, or a reversal turns back."""
        for command in self._gathering.members:
            target = self._gathering.targets[id(command)]
            if command.kind == TransferKind.CONVERT and command.quote is None and target is not None:
                codes = command.debits[0][0], command.credits[0]
                source_no, target_no = map(self._reference.currency_no, codes)
                if source_no is not None and target_no is not None:
                    yield Converting(*target, source_no, target_no)
        for target, quote in self._gathering.promised():
            yield Converting(*target, quote.terms.source_no, quote.terms.target_no)
        for follow_up, original in self._gathering.followed():
            target = self._gathering.targets[id(follow_up)]
            if original.kind == TransferKind.CONVERT and target is not None:
                yield Converting(*target, *converted_pair(original))
            elif follow_up.pair is not None and target is not None:
                yield Converting(*target, *follow_up.pair)

    def _kept_elsewhere(self) -> set[tuple[int, UUID]]:
        """Merchants that keep the balances of a currency that is converted, with the member of whom they do."""
        keepers = self._reference.keepers
        return {
            (keepers[number], converting.member_id)
            for converting in self._converted_pairs()
            for number in converting.pair
            if number in keepers
        }

    async def _read_followed(self, found: dict[UUID, MemberFacts], now: datetime) -> None:
        lots: set[tuple[int, UUID]] = set()
        for command, original in self._gathering.followed():
            found[original.member_id].notes.originals[command.original] = original
            lots |= {
                (original.bucket, leg.lot_id)
                for leg in original.legs
                if leg.lot_id is not None and leg.account != Account.CIRCULATION
            }
        if lots:
            rows = await self._connection.fetch(
                sql.LOTS_BY_ID, [bucket for bucket, _ in lots], [lot_id for _, lot_id in lots]
            )
            _show(rows, found, now)
        names = list({original.transfer_id: original for _, original in self._gathering.followed()}.values())
        if not names:
            return
        for row in await self._connection.fetch(
            sql.FOLLOW_UPS, [original.bucket for original in names], [original.transfer_id for original in names]
        ):
            member_id = self._gathering.originals[row[0]].member_id
            found[member_id].notes.progress[row[0]] = Progress(*row[1:])
        await read_unused(self._connection, [original for _, original in self._gathering.followed()], found)

    async def _read_promised(self, found: dict[UUID, MemberFacts]) -> None:
        quotes = {quote.quote_id: quote for _, quote in self._gathering.promised()}
        buckets = [transfer_bucket(quote_id) for quote_id in quotes]
        used = {row[0]: row[1] for row in await self._connection.fetch(sql.QUOTE_USES, buckets, list(quotes))}
        for quote_id, quote in quotes.items():
            found[quote.member_id].notes.quotes[quote_id] = quote._replace(transfer_id=used.get(quote_id))


def _show(rows: Sequence[asyncpg.Record], found: dict[UUID, MemberFacts], now: datetime) -> None:
    for row in rows:
        found[row[0]].accounts[row[1]].show(Lot(*row[2:]), now)
