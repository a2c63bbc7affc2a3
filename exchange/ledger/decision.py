"""The decision step of a batch: each command through its pure rule, in turn, effects gathered. No await here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.ledger.facts import MemberFacts, apply
from exchange.ledger.ids import new_id
from exchange.ledger.keys import KnownKeys, stored
from exchange.ledger.model import Command, MemberKey, Posting, Receipt, Transfer, key_bucket
from exchange.refusals import DEFINITE, BatchNotApplied, Refusal, ResourceNotFound

Outcome = Receipt | Refusal | Exception
Rule = Callable[[Command, MemberFacts], Posting]
KeyRow = tuple[int, int, str, bytes, int | None, UUID | None, str | None]


@dataclass(slots=True)
class Effects:
    """What a batch writes, as the columns `sql.EFFECTS` takes."""

    now: datetime
    keys: list[KeyRow] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    lots: dict[UUID, list[Any]] = field(default_factory=dict)
    spent: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    accounts: list[tuple[int, UUID, int, int, int]] = field(default_factory=list)
    totals: list[tuple[int, int, int, int, str, int, int, int]] = field(default_factory=list)
    daily: dict[tuple[int, UUID, int, int], int] = field(default_factory=dict)
    today: Any = None

    def arguments(self) -> tuple[Any, ...]:
        """Positional arguments of `sql.EFFECTS`. Keys and totals are sorted: that is their lock order."""
        spent = sorted((bucket, lot_id, left) for lot_id, (bucket, left) in self.spent.items())
        self.accounts.sort(key=lambda account: account[:3])
        return (
            sorted(self.keys, key=lambda key: key[:3]),
            self.transfers,
            [tuple(lot) for lot in self.lots.values()],
            *_transposed(spent, 3),
            *_transposed(self.accounts, 5),
            sorted(self.totals),
            self.now,
        )

    def daily_columns(self) -> tuple[Any, ...]:
        """Positional arguments of `sql.USE_DAILY_CAPS`."""
        rows = [(*key, used) for key, used in self.daily.items()]
        return (*_transposed(rows, 5), self.today)


def _transposed(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


@dataclass(slots=True)
class Decision:
    """The state of a batch while its commands are decided one after the other."""

    facts: dict[UUID, MemberFacts]
    members: dict[MemberKey, tuple[int, UUID] | None]
    known: KnownKeys
    window_no: int
    first_sequence: int
    now: datetime
    slice_no: int
    _transfers: list[Transfer] = field(default_factory=list)
    _keys: list[KeyRow] = field(default_factory=list)
    _lots: dict[UUID, list[Any]] = field(default_factory=dict)
    _spent: dict[UUID, tuple[int, int]] = field(default_factory=dict)

    def decide_all(self, groups: Sequence[tuple[Sequence[Command], bool]], rule: Rule) -> list[Outcome]:
        """One outcome a command. A group is atomic or its items stand alone."""
        outcomes: list[Outcome] = []
        for commands, atomic in groups:
            if atomic:
                outcomes += self._decide_atomic(commands, rule)
            else:
                outcomes += [self._decide(command, rule) for command in commands]
        return outcomes

    @property
    def writes_something(self) -> bool:
        """Whether any key was decided."""
        return bool(self._keys)

    def _decide(self, command: Command, rule: Rule) -> Outcome:
        earlier = self.known.answer(command)
        if earlier is not None:
            return earlier
        try:
            member = self.members[command.member]
            if member is None:
                raise ResourceNotFound(resource="members/…", field="member")
            facts = self.facts[member[1]]
            posting = rule(command, facts)
        except Refusal as refusal:
            if refusal.category in DEFINITE and not command.validate_only:
                self._keep_refusal(command, refusal)
            return refusal
        except Exception as fault:  # noqa: BLE001 - one item's fault is that item's answer, not the batch's
            return fault
        if command.validate_only:
            return Receipt(self._transfer(command, member[0], facts, posting, None), replayed=False)
        return self._apply(command, member[0], facts, posting)

    def _keep_refusal(self, command: Command, refusal: Refusal) -> None:
        key = (command.merchant_no, command.request_id)
        self.known.remember(key, command.fingerprint, refusal)
        self._keys.append((key_bucket(*key), *key, command.fingerprint, None, None, stored(refusal)))

    def _transfer(
        self, command: Command, bucket: int, facts: MemberFacts, posting: Posting, transfer_id: UUID | None
    ) -> Transfer:
        return Transfer(
            bucket,
            transfer_id,
            command.kind,
            command.merchant_no,
            facts.member_id,
            command.request_id,
            command.reference,
            self.now,
            self.first_sequence + len(self._transfers) if transfer_id else 0,
            self.window_no,
            posting.rate_id,
            posting.legs,
            posting.obligations,
        )

    def _apply(self, command: Command, bucket: int, facts: MemberFacts, posting: Posting) -> Receipt:
        spent: dict[UUID, tuple[int, int]] = {}
        born = {lot.currency_no: new_id() for lot in posting.new_lots}
        posting.legs = apply(posting, facts, born, spent)
        transfer = self._transfer(command, bucket, facts, posting, new_id())
        self._transfers.append(transfer)
        for lot in posting.new_lots:
            lot_id = born[lot.currency_no]
            self._lots[lot_id] = [
                bucket, lot_id, facts.member_id, lot.currency_no, lot.units, lot.units, lot.funder_no,
                lot.price_micros, self.now, lot.expires_at, transfer.transfer_id,
            ]  # fmt: skip
        for lot_id, left in spent.items():
            if lot_id in self._lots:
                self._lots[lot_id][5] = left[1]
            else:
                self._spent[lot_id] = left
        key = (command.merchant_no, command.request_id)
        self.known.remember(key, command.fingerprint, transfer)
        self._keys.append((key_bucket(*key), *key, command.fingerprint, bucket, transfer.transfer_id, None))
        return Receipt(transfer, replayed=False)

    def _decide_atomic(self, commands: Sequence[Command], rule: Rule) -> list[Outcome]:
        """All or none. The first refusal is kept under its own key; the others stay undecided, their keys unused."""
        before = self._saved()
        outcomes: list[Outcome] = []
        for command in commands:
            outcomes.append(self._decide(command, rule))
            if not isinstance(outcomes[-1], Receipt):
                break
        else:
            return outcomes
        refused = len(outcomes) - 1
        kept = [row for row in self._keys[before.keys :] if row[6] is not None]
        self._restore(before)
        self._keys += kept
        self.known.forget(
            (command.merchant_no, command.request_id)
            for command, outcome in zip(commands, outcomes, strict=False)
            if isinstance(outcome, Receipt) and not outcome.replayed
        )
        return [
            outcomes[place] if place == refused else BatchNotApplied(item=refused) for place in range(len(commands))
        ]

    def _saved(self) -> _Saved:
        accounts = {
            member_id: {number: account.copy() for number, account in facts.accounts.items()}
            for member_id, facts in self.facts.items()
        }
        daily = {
            member_id: (dict(facts.daily_used), set(facts.daily_changed)) for member_id, facts in self.facts.items()
        }
        lots = {lot_id: list(lot) for lot_id, lot in self._lots.items()}
        return _Saved(accounts, daily, lots, dict(self._spent), len(self._transfers), len(self._keys))

    def _restore(self, saved: _Saved) -> None:
        for member_id, facts in self.facts.items():
            facts.accounts = saved.accounts[member_id]
            facts.daily_used, facts.daily_changed = saved.daily[member_id]
        self._lots, self._spent = saved.lots, saved.spent
        del self._transfers[saved.transfers :]
        del self._keys[saved.keys :]

    def effects(self) -> Effects:
        """Everything decided, ready to be written."""
        effects = Effects(self.now, self._keys, self._transfers, self._lots, self._spent)
        totals: dict[tuple[int, int, str, int], list[int]] = {}
        for transfer in self._transfers:
            for owed in transfer.obligations:
                total = totals.setdefault((owed.debtor_no, owed.creditor_no, owed.currency_code, owed.kind), [0, 0])
                total[0] += owed.micros
                total[1] += 1
        effects.totals = [(self.window_no, self.slice_no, *pair, *total) for pair, total in totals.items()]  # type: ignore[misc]
        for facts in self.facts.values():
            for account in facts.accounts.values():
                if account.touched:
                    effects.accounts.append(
                        (account.bucket, account.member_id, account.currency_no, account.available, account.sequence)
                    )
            for pair in facts.daily_changed:
                bucket = facts.accounts[pair[0]].bucket
                effects.daily[(bucket, facts.member_id, *pair)] = facts.daily_used[pair]
                effects.today = facts.today
        return effects


@dataclass(slots=True)
class _Saved:
    """Working copies before an atomic group."""

    accounts: dict[UUID, dict[int, Any]]
    daily: dict[UUID, tuple[dict[tuple[int, int], int], set[tuple[int, int]]]]
    lots: dict[UUID, list[Any]]
    spent: dict[UUID, tuple[int, int]]
    transfers: int
    keys: int
