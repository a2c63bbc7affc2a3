"""What a batch writes, as the columns its statements take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from exchange.ledger.bonuses import BonusFacts
from exchange.ledger.external import Row as ExternalRow
from exchange.ledger.facts import MemberFacts, MemberNotes
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Transfer

KeyRow: TypeAlias = tuple[int, int, str, bytes, int | None, UUID | None, str | None]
TotalRow: TypeAlias = tuple[int, int, int, int, str, int, int, int]
LotRow: TypeAlias = tuple[int, UUID, UUID, int, int, int, int, int, datetime, datetime | None, UUID, int]
LotStateRow: TypeAlias = tuple[int, UUID, int, int]
AccountRow: TypeAlias = tuple[int, UUID, int, int, int, int, int, int | None]


@dataclass(slots=True)
class Effects:
    """Rows by statement; keys, lots, accounts and totals in lock order."""

    now: datetime
    keys: list[KeyRow]
    transfers: list[Transfer]
    totals: list[TotalRow]
    new_lots: list[LotRow] = field(default_factory=list)
    changed_lots: list[LotStateRow] = field(default_factory=list)
    new_accounts: list[AccountRow] = field(default_factory=list)
    accounts: list[AccountRow] = field(default_factory=list)
    daily: list[tuple[int, UUID, int, int, int]] = field(default_factory=list)
    progress: list[tuple[int, UUID, int, bool, datetime | None, bool, int, int]] = field(default_factory=list)
    carried: list[tuple[int, UUID, str, int]] = field(default_factory=list)
    quoted: list[tuple[int, UUID, UUID | None]] = field(default_factory=list)
    tiers: list[tuple[int, UUID, str]] = field(default_factory=list)
    unused: list[tuple[int, UUID, int]] = field(default_factory=list)
    ends: list[tuple[int, UUID, int, datetime, bool]] = field(default_factory=list)
    bonuses: list[tuple[int, UUID | None, UUID, int, UUID, int, int, int]] = field(default_factory=list)
    bonus_uses: list[tuple[int, UUID, int, int]] = field(default_factory=list)
    budgets: list[tuple[int, int]] = field(default_factory=list)
    exposures: list[tuple[int, str, int, int, int]] = field(default_factory=list)
    member_days: list[tuple[int, UUID, int, int, int]] = field(default_factory=list)
    issues: list[tuple[int, int]] = field(default_factory=list)
    external: list[ExternalRow] = field(default_factory=list)
    today: date | None = None

    @classmethod
    def of(
        cls,
        now: datetime,
        keys: Iterable[KeyRow],
        transfers: list[Transfer],
        members: Iterable[MemberFacts],
        window_no: int,
        slice_no: int,
    ) -> Effects:
        """Gather from the working copies what the batch changed."""
        # No two keys of a batch are alike in their first three columns, so that no more is ever compared.
        effects = cls(now, sorted(keys), transfers, _totals(transfers, window_no, slice_no))
        for facts in members:
            for account in facts.accounts.values():
                if account.touched:
                    effects._add_account(account, now)
            if facts.noted is not None:
                effects._add_notes(facts, facts.noted)
            if facts.bonuses is not None:
                effects._add_bonuses(facts, facts.bonuses)
        effects.new_accounts.sort()
        effects.accounts.sort()
        effects.changed_lots.sort()
        return effects

    def _add_account(self, account: MemberAccount, now: datetime) -> None:
        bucket, member_id, currency_no = account.bucket, account.member_id, account.currency_no
        rows = self.new_accounts if account.sequence_before is None else self.accounts
        rows.append((
            bucket, member_id, currency_no, account.available, account.sequence, account.held, account.overdrawn,
            account.sequence_before,
        ))  # fmt: skip
        for lot_id, born in account.changed.items():
            lot = account.known[lot_id]
            if born is None:
                self.changed_lots.append((bucket, lot_id, lot.remaining, lot.held))
            else:
                new, transfer_id = born
                self.new_lots.append((
                    bucket, lot_id, member_id, currency_no, new.units, lot.remaining, new.funder_no, new.price_micros,
                    now, new.expires_at, transfer_id, lot.held,
                ))  # fmt: skip

    def _add_notes(self, facts: MemberFacts, notes: MemberNotes) -> None:
        for pair in notes.daily_changed:
            self.daily.append((facts.bucket, facts.member_id, *pair, notes.daily_used[pair]))
            self.today = facts.today
        for transfer_id in notes.progress_changed:
            self.progress.append((facts.bucket, transfer_id, *notes.progress[transfer_id]))
        for rule_id in notes.carried_changed:
            self.carried.append((facts.bucket, facts.member_id, rule_id, notes.carried[rule_id]))
        for quote_id in notes.quotes_used:
            self.quoted.append((facts.bucket, quote_id, notes.quotes[quote_id].transfer_id))
        for transfer_id, tier in notes.tiers.items():
            self.tiers.append((facts.bucket, transfer_id, tier))
        for lot_id, units in notes.unused_added.items():
            self.unused.append((facts.bucket, lot_id, units))
        for transfer_id, waiting in notes.external:
            self.external.append((facts.bucket, facts.member_id, transfer_id, waiting))
        for number in notes.ends_changed:
            account = facts.accounts[number]
            has_points = account.available + account.overdrawn > 0
            self.ends.append((facts.bucket, facts.member_id, number, notes.ends[number], has_points))

    def _add_bonuses(self, facts: MemberFacts, bonuses: BonusFacts) -> None:
        for transfer_id, bonus in bonuses.entries:
            given, returned = (0, bonus.units) if bonus.returned else (bonus.units, 0)
            self.bonuses.append((
                facts.bucket, bonus.lot_id, transfer_id, bonus.promotion_no, facts.member_id, bonus.currency_no,
                given, returned,
            ))  # fmt: skip
        for number in bonuses.changed:
            self.bonus_uses.append((facts.bucket, facts.member_id, number, bonuses.used[number]))

    @property
    def are_plain(self) -> bool:
        """Whether `sql.EFFECTS` writes all of it."""
        return not (
            self.daily or self.progress or self.carried or self.quoted or self.tiers or self.unused or self.ends
            or self.bonuses or self.exposures or self.member_days or self.issues or self.external
        )  # fmt: skip

    def arguments(self) -> tuple[Any, ...]:
        """The first positional arguments of `sql.EFFECTS`."""
        return (
            self.keys,
            self.transfers,
            self.new_lots,
            self.changed_lots,
            self.new_accounts,
            self.accounts,
            self.totals,
            self.now,
        )


class _Total:
    """What a pair owes in a batch, micro-units, and of how many obligations."""

    def __init__(self) -> None:
        self.micros = self.obligations = 0


def transposed(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as columns: arrays for unnest."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _totals(transfers: Sequence[Transfer], window_no: int, slice_no: int) -> list[TotalRow]:
    totals: dict[tuple[int, int, int, str], _Total] = {}
    for transfer in transfers:
        for obligation in transfer.obligations:
            pair = obligation[:4]
            total = totals.get(pair)
            if total is None:
                total = totals[pair] = _Total()
            total.micros += obligation[4]
            total.obligations += 1
    return sorted(
        (window_no, slice_no, debtor_no, creditor_no, code, kind, total.micros, total.obligations)
        for (kind, debtor_no, creditor_no, code), total in totals.items()
    )
