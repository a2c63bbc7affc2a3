"""Whom the commands of a batch touch: members, accounts to be locked and how many points may be taken of each.

And the rows that answer that. No await here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from exchange.ledger.decision import Target
from exchange.ledger.facts import MemberFacts
from exchange.ledger.making import a_lot
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import MemberCommand, MemberKey, Transfer, TransferKind
from exchange.ledger.quote import Terms
from exchange.ledger.reference import AccountKey, Reference
from exchange.money.limits import INT64_MAX

_CONVERT: Final = TransferKind.CONVERT


def known_targets(
    commands: Iterable[MemberCommand], members: Mapping[MemberKey, Target], targets: dict[int, Target | None]
) -> set[MemberKey]:
    """Note the members that are known; those that have to be asked for.

    Args:
        commands: that name members.
        members: known ones.
        targets: by `id(command)`; None: not known.
    """
    unknown: set[MemberKey] = set()
    for command in commands:
        if command.located is not None:
            bucket, member_id = command.located
            targets[id(command)] = Target(bucket, member_id)
            continue
        target = targets[id(command)] = members.get(command.member)
        if target is None:
            unknown.add(command.member)
    return unknown


def all_plain(commands: Iterable[MemberCommand], *, conversions_are: bool) -> bool:
    """Whether all that commands look at and leave are accounts, lots and what every movement leaves.

    Args:
        commands: that name members.
        conversions_are: whether conversions look at no more than that.
    """
    return all(command.is_plain and (conversions_are or command.kind is not _CONVERT) for command in commands)


def members_of(
    targets: Iterable[Target | None], accounts: Mapping[AccountKey, MemberAccount], now: datetime, today: date
) -> dict[UUID, MemberFacts]:
    """What rules may look at of each member, as far as accounts say it."""
    found: dict[UUID, MemberFacts] = {}
    for target in targets:
        if target is not None:
            bucket, member_id = target
            if member_id not in found:
                found[member_id] = MemberFacts(now, today, member_id, {}, bucket)
    for key, account in accounts.items():
        facts = found[key[1]]
        facts.accounts[key[2]] = account
        if account.is_closed:
            facts.is_closed = True
    return found


class Wanting:
    """Gathers what the commands of one batch may touch. Too much is harmless.

    Attributes:
        accounts: to be locked.
        points: of accounts points may be taken from, how many at most.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self.accounts: set[AccountKey] = set()
        self.points: dict[AccountKey, int] = {}

    def want_all(self, commands: Iterable[MemberCommand], targets: Mapping[int, Target | None]) -> None:
        """The accounts commands name, and the points they ask to take."""
        for command in commands:
            target = targets[id(command)]
            if target is not None:
                self._want(command, target)

    def _want(self, command: MemberCommand, target: Target) -> None:
        bucket, member_id = target
        if command.spend_rule is not None:
            number = self._reference.earn_rule_currency_no(command.spend_rule)
            if number is not None:
                self.accounts.add((bucket, member_id, number))
            return
        for code, units in command.debits:
            number = self._reference.currency_no(code)
            if number is not None:
                self._take((bucket, member_id, number), units)
        for code in command.credits:
            number = self._reference.currency_no(code)
            if number is not None:
                self.accounts.add((bucket, member_id, number))

    def follow(self, target: Target, original: Transfer, pair: tuple[int, int] | None) -> None:
        """The accounts of a transfer that is followed, and what a reversal may take back."""
        bucket, member_id = target
        for leg in original.legs:
            self._take((bucket, member_id, leg.currency_no), leg.units)
        for number in pair or ():
            self.accounts.add((bucket, member_id, number))
        # A spend that made no points has no legs; its carry is guarded by the same account all the same.
        if original.earn_rule:
            rules = self._reference.earn_rule_currency_no(original.earn_rule)
            if rules:
                self.accounts.add((bucket, member_id, rules))

    def keep_promise(self, target: Target, terms: Terms) -> None:
        """The accounts of a quote, and the points it uses."""
        bucket, member_id = target
        self._take((bucket, member_id, terms.source_no), terms.used_units)
        self.accounts.add((bucket, member_id, terms.target_no))

    def _take(self, key: AccountKey, units: int) -> None:
        self.accounts.add(key)
        self.points[key] = self.points.get(key, 0) + units


def wants_of(points: Mapping[AccountKey, int], keys: Iterable[AccountKey]) -> list[tuple[int, Any, int, int]]:
    """Rows of exchange.account_want for some of the accounts."""
    wants = []
    for key in keys:
        bucket, member_id, currency_no = key
        wants.append((bucket, member_id, currency_no, min(points.get(key, 0), INT64_MAX)))
    return wants


def locked_accounts(keys: Sequence[AccountKey], rows: Iterable[Any]) -> dict[AccountKey, MemberAccount]:
    """Accounts of the rows of `sql.LOCK_ACCOUNTS`, each of which has a key's place."""
    accounts: dict[AccountKey, MemberAccount] = {}
    for place, available, sequence, held, overdrawn, is_closed in rows:
        key = keys[place - 1]
        bucket, member_id, currency_no = key
        accounts[key] = MemberAccount(bucket, member_id, currency_no, available, sequence, held, overdrawn, is_closed)
    return accounts


def seen_accounts(
    keys: Sequence[AccountKey], rows: Iterable[Any], points: Mapping[AccountKey, int], now: datetime
) -> dict[AccountKey, MemberAccount]:
    """Accounts with their lots, of the rows of `sql.LOOK` after the first, which come in any order."""
    accounts: dict[AccountKey, MemberAccount] = {}
    for row in rows:
        key = keys[row[0] - 1]
        account = accounts.get(key)
        if account is None:
            bucket, member_id, currency_no = key
            account = MemberAccount(bucket, member_id, currency_no, row[1], row[2] or 0, row[3], row[4], row[5])
            account.sequence_before = row[2]
            accounts[key] = account
        if row[6] is not None:
            account.show(a_lot(row[6], row[7], row[8], row[9], row[10], row[11], row[12]), now)
    for key, account in accounts.items():
        account.saw_lots(points.get(key, 0))
    return accounts


def offer_lots(accounts: Sequence[MemberAccount], rows: Iterable[Any]) -> None:
    """Put lots, rows of `sql.MOMENT` or `sql.MORE_LOTS`, into their accounts, each of which has its place."""
    for row in rows:
        accounts[row[0] - 1].offer(a_lot(row[1], row[2], row[3], row[4], row[5], row[6], row[7]))
