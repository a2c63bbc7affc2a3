"""The ledger's own decision step over a store in memory: facts are read from it and effects written to it.

The store stands where `sql` stands in a batch: it keeps rows and knows no rule.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.expiry.model import Expire
from exchange.ledger.decision import Outcome
from exchange.ledger.effects import Effects
from exchange.ledger.facts import MemberFacts
from exchange.ledger.keys import KnownKeys, restored
from exchange.ledger.making import numbered
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Command, Lot, ObligationKind, Progress, Transfer, member_bucket
from exchange.ledger.sql import BLOCK_UNITS
from exchange.movements import decide
from exchange.rates.model import Coalition
from tests.property.ledger_asks import MEMBERS, WORLD, AskGroup
from tests.unit.ledger.batches import a_batch, decided_in
from tests.unit.rules.rulebook import CURRENCY_NO, MERCHANT_OF, SHANGHAI

CODE_OF = {number: code for code, number in CURRENCY_NO.items()}


@dataclass
class Store:
    """Rows, as the database would keep them."""

    world: Coalition = WORLD
    accounts: dict[tuple[UUID, int], tuple[int, int, int, int]] = field(default_factory=dict)
    """Available, sequence, held, owed."""
    lots: dict[UUID, list[Any]] = field(default_factory=dict)
    daily: dict[tuple[UUID, int, int, object], int] = field(default_factory=dict)
    transfers: dict[UUID, Transfer] = field(default_factory=dict)
    keys: dict[tuple[int, str], tuple[bytes, UUID | None, str | None]] = field(default_factory=dict)
    totals: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    progress: dict[UUID, Progress] = field(default_factory=dict)
    unused: Counter[UUID] = field(default_factory=Counter)
    batches: int = 0

    def post(self, groups: Iterable[AskGroup], now: datetime) -> list[Outcome]:
        """Decide groups in one batch and keep what it yields."""
        return self.post_commands([([ask.command() for ask in group.asks], group.atomic) for group in groups], now)

    def post_commands(self, work: Sequence[tuple[Sequence[Command], bool]], now: datetime) -> list[Outcome]:
        """The same for groups of commands, each with whether it is atomic."""
        self.batches += 1
        batch = a_batch(
            *(self._facts(member_id, now) for member_id in MEMBERS),
            known=self._known(),
            now=now,
        )
        for facts in batch.facts.values():
            self._add_followed(facts)
        self._add_due(batch.facts, work)
        first = self.batches * BLOCK_UNITS
        outcomes = decided_in(batch, work, lambda command, facts: decide(command, facts, self.world), first)
        self._keep(batch.effects(), first)
        return outcomes

    def held(self) -> dict[tuple[UUID, str], int]:
        """Points by member and currency."""
        return {(member, CODE_OF[number]): row[0] for (member, number), row in self.accounts.items() if row[0]}

    def remainders(self) -> list[tuple[UUID, str, int, int]]:
        """Every lot in the order of birth: member, currency, points at birth and left."""
        return [(lot[2], CODE_OF[lot[3]], lot[4], lot[5]) for _, lot in sorted(self.lots.items())]

    def _facts(self, member_id: UUID, now: datetime) -> MemberFacts:
        today = now.astimezone(SHANGHAI).date()
        accounts = {}
        for number in CURRENCY_NO.values():
            available, sequence, held, overdrawn = self.accounts.get((member_id, number), (0, 0, 0, 0))
            lots = [
                _lot(lot)
                for lot in self.lots.values()
                if (lot[2], lot[3]) == (member_id, number) and lot[5] and (lot[9] is None or lot[9] > now)
            ]
            accounts[number] = MemberAccount(
                bucket=member_bucket(member_id),
                member_id=member_id,
                currency_no=number,
                available=available,
                sequence=sequence,
                held=held,
                overdrawn=overdrawn,
            )
            for lot in lots:
                accounts[number].show(lot, now)
        used = {pair[1:3]: used for pair, used in self.daily.items() if (pair[0], pair[3]) == (member_id, today)}
        facts = MemberFacts(now, today, member_id, accounts, member_bucket(member_id))
        facts.notes.daily_used.update(used)
        return facts

    def _add_followed(self, facts: MemberFacts) -> None:
        """What follow-ups look at: earlier transfers, how far each has gone, and the lots they name, open or not."""
        for transfer_id, transfer in self.transfers.items():
            if transfer.member_id == facts.member_id:
                facts.notes.originals[transfer_id] = transfer
                if transfer_id in self.progress:
                    facts.notes.progress[transfer_id] = self.progress[transfer_id]
        for lot in self.lots.values():
            if lot[2] == facts.member_id:
                facts.accounts[lot[3]].show(_lot(lot), facts.now)
        facts.notes.unused = dict(self.unused)

    def _add_due(self, found: dict[UUID, MemberFacts], work: Sequence[tuple[Sequence[Command], bool]]) -> None:
        for command in (command for commands, _ in work for command in commands):
            if isinstance(command, Expire) and command.member.member_id in found:
                facts = found[command.member.member_id]
                account = facts.accounts[CURRENCY_NO[command.currency]]
                account.due = [
                    one.lot_id
                    for one in account.known.values()
                    if one.remaining and one.expires_at is not None and one.expires_at <= facts.now
                ]

    def _known(self) -> KnownKeys:
        known = KnownKeys()
        for key, (fingerprint, transfer_id, refusal) in self.keys.items():
            answer = restored(json.loads(refusal)) if refusal else self.transfers[transfer_id]  # type: ignore[index]
            known.remember(key, fingerprint, answer)
        return known

    def _keep(self, effects: Effects, first_sequence: int) -> None:
        for _, merchant_no, request_id, fingerprint, _, transfer_id, refusal in effects.keys:
            assert (merchant_no, request_id) not in self.keys, "a key was answered twice"
            self.keys[(merchant_no, request_id)] = (fingerprint, transfer_id, refusal)
        for transfer in effects.transfers:
            assert transfer.transfer_id is not None
            self.transfers[transfer.transfer_id] = numbered(transfer, first_sequence)
        self.lots |= {lot[1]: list(lot) for lot in effects.new_lots}
        for _, lot_id, left, held in effects.changed_lots:
            self.lots[lot_id][5], self.lots[lot_id][11] = left, held
        for _, member_id, number, available, sequence, held, overdrawn, _ in effects.accounts:
            self.accounts[(member_id, number)] = (available, sequence, held, overdrawn)
        for _, transfer_id, *progress in effects.progress:
            self.progress[transfer_id] = Progress._make(progress)
        for _, lot_id, units in effects.unused:
            self.unused[lot_id] += units
        for _, member_id, source_no, target_no, used in effects.daily:
            self.daily[(member_id, source_no, target_no, effects.today)] = used
        for _, _, debtor_no, creditor_no, _, kind, micros, _ in effects.totals:
            self.totals[(MERCHANT_OF[debtor_no], MERCHANT_OF[creditor_no], ObligationKind(kind).name)] += micros


def _lot(row: Sequence[Any]) -> Lot:
    return Lot(row[1], row[5], row[6], row[7], row[8], row[9], row[11])
