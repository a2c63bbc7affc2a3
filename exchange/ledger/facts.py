"""What a rule may look at: one member's accounts and lots as the commands before it in the batch left them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from exchange.ledger.bonus_lots import place_bonuses
from exchange.ledger.bonuses import BonusFacts
from exchange.ledger.external import Begun, Ended
from exchange.ledger.making import a_leg, a_lot
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Account as ChartAccount
from exchange.ledger.model import Lot, PointsLeg, Posting, Progress, Transfer
from exchange.ledger.quote import Quote

MEMBER: Final = int(ChartAccount.MEMBER)
CIRCULATION: Final = int(ChartAccount.CIRCULATION)
_NEVER_IDLE: Final[Mapping[int, timedelta]] = {}


class MemberNotes:
    """What only some movements look at or leave. Most members of a batch have none.

    Attributes:
        daily_used: source points used today by (source, target); absent: none.
        daily_changed: which of them the batch changed.
        originals: transfers that commands follow, by id.
        progress: how far each of them has gone, by id; absent: nothing followed yet.
        progress_changed: which of them the batch changed.
        carried: minor units spent and not yet given points for, by earn rule; absent: none.
        carried_changed: which of them the batch changed.
        quotes: given for the member, that commands name.
        quotes_used: which of them the batch uses up.
        tiers: tier codes that came with conversions of the batch, by transfer.
        unused: points that ended unused of lots whose awards are reversed, by lot; absent: none.
        unused_added: what the batch adds to that, for any lot.
        ends: when the account of a currency whose points end by inactivity ends; absent: it is new.
        ends_changed: which of them the batch has touched.
        references: how merchants that keep their currencies' balances themselves know the member, by their numbers.
        external: conversions the batch begins or ends that wait for such a merchant, with the transfers that do so.
    """

    __slots__ = (
        "carried", "carried_changed", "daily_changed", "daily_used", "ends", "ends_changed", "external", "originals",
        "progress", "progress_changed", "quotes", "quotes_used", "references", "tiers", "unused", "unused_added",
    )  # fmt: skip

    def __init__(self) -> None:
        self.daily_used: dict[tuple[int, int], int] = {}
        self.daily_changed: set[tuple[int, int]] = set()
        self.originals: dict[UUID, Transfer] = {}
        self.progress: dict[UUID, Progress] = {}
        self.progress_changed: set[UUID] = set()
        self.carried: dict[str, int] = {}
        self.carried_changed: set[str] = set()
        self.quotes: dict[UUID, Quote] = {}
        self.quotes_used: set[UUID] = set()
        self.tiers: dict[UUID, str] = {}
        self.unused: dict[UUID, int] = {}
        self.unused_added: dict[UUID, int] = {}
        self.ends: dict[int, datetime] = {}
        self.ends_changed: set[int] = set()
        self.references: dict[int, str] = {}
        self.external: list[tuple[UUID, Begun | Ended]] = []

    def copy(self) -> MemberNotes:
        """For trying out a group that may have to be undone."""
        copy = MemberNotes()
        copy.daily_used, copy.daily_changed = dict(self.daily_used), set(self.daily_changed)
        copy.progress, copy.progress_changed = dict(self.progress), set(self.progress_changed)
        copy.carried, copy.carried_changed = dict(self.carried), set(self.carried_changed)
        copy.quotes, copy.quotes_used = dict(self.quotes), set(self.quotes_used)
        copy.tiers, copy.unused_added = dict(self.tiers), dict(self.unused_added)
        copy.ends, copy.ends_changed = dict(self.ends), set(self.ends_changed)
        copy.external = list(self.external)
        # What no rule changes is shared.
        copy.originals, copy.unused, copy.references = self.originals, self.unused, self.references
        return copy


class MemberFacts:
    """Everything a rule knows of the member and the moment.

    Attributes:
        now: event time, by the coalition's clock.
        today: the day of `now` in the coalition's time zone.
        member_id: whose accounts.
        bucket: where the member's rows live.
        accounts: by currency number; every account the command names is there.
        noted: what only some movements look at or leave, once there is something; see `notes`.
        idle_after: after how long without anything done the points of an account end, by number of the currencies where
            they do.
        bonuses: what promotions may give and get back; None: none concerns the member in this batch.
        is_closed: the membership is over: nothing moves any more but what ends.
    """

    __slots__ = ("accounts", "bonuses", "bucket", "idle_after", "is_closed", "member_id", "noted", "now", "today")

    def __init__(
        self, now: datetime, today: date, member_id: UUID, accounts: dict[int, MemberAccount], bucket: int = 0
    ) -> None:
        self.now, self.today, self.member_id, self.accounts, self.bucket = now, today, member_id, accounts, bucket
        self.noted: MemberNotes | None = None
        self.idle_after: Mapping[int, timedelta] = _NEVER_IDLE
        self.bonuses: BonusFacts | None = None
        self.is_closed = False

    @property
    def notes(self) -> MemberNotes:
        """To be looked at or written into: made when it is first asked for."""
        if self.noted is None:
            self.noted = MemberNotes()
        return self.noted

    def unused_of(self, lot: Lot) -> int:
        """Points of a lot that ended unused, whether or not its end was already posted."""
        ended = lot.remaining if lot.expires_at is not None and lot.expires_at <= self.now else 0
        if self.noted is not None:
            ended += self.noted.unused.get(lot.lot_id, 0) + self.noted.unused_added.get(lot.lot_id, 0)
        return ended

    def prove(self) -> None:
        """Have accounts that nobody looked at for this batch written, changed or not: that proves what they were."""
        for account in self.accounts.values():
            if account.is_remembered:
                account.touched = True

    def copy(self) -> MemberFacts:
        """For trying out a group that may have to be undone."""
        accounts = {number: account.copy() for number, account in self.accounts.items()}
        copy = MemberFacts(self.now, self.today, self.member_id, accounts, self.bucket)
        copy.noted = None if self.noted is None else self.noted.copy()
        copy.bonuses = None if self.bonuses is None else self.bonuses.copy()
        copy.idle_after, copy.is_closed = self.idle_after, self.is_closed
        return copy


def apply(posting: Posting, facts: MemberFacts, transfer_id: UUID, born: Mapping[int, UUID]) -> list[PointsLeg]:
    """Carry a posting into the working copies; give back its legs with sequence numbers and the new lots' ids.

    Args:
        posting: what the rule decided, from these very facts.
        facts: changed in place.
        transfer_id: of the transfer it becomes.
        born: ids of the posting's new lots by currency number.
    """
    if posting.bonuses:
        place_bonuses(posting, facts, transfer_id, born)
    for lot in posting.new_lots:
        account, new_id = facts.accounts[lot.currency_no], born[lot.currency_no]
        account.changed[new_id] = (lot, transfer_id)
        account.known[new_id] = a_lot(new_id, 0, lot.funder_no, lot.price_micros, facts.now, lot.expires_at)
    numbered = []
    sequences: dict[int, int] = {}
    for leg in posting.legs:
        chart_account, side, currency_no, units, _, named = leg
        if chart_account == CIRCULATION:
            numbered.append(leg)
            continue
        account = facts.accounts[currency_no]
        sequence = sequences.get(currency_no)
        if sequence is None:
            sequence = sequences[currency_no] = account.sequence = account.sequence + 1
            account.touched = True
        lot_id = born[currency_no] if named is None and chart_account == MEMBER else named
        account.move(chart_account, side, units, lot_id, facts.now)
        numbered.append(a_leg(chart_account, side, currency_no, units, sequence, lot_id))
    _note(posting, facts, transfer_id)
    if posting.external is not None:
        facts.notes.external.append((transfer_id, posting.external))
    if posting.bonuses:
        assert facts.bonuses is not None, "a promotion gave what nobody had counted"
        facts.bonuses.note(posting.bonuses, transfer_id, posting.original_id)
    return numbered


def _note(posting: Posting, facts: MemberFacts, transfer_id: UUID) -> None:
    """What the posting says beside its legs."""
    if posting.daily_use is not None:
        use = posting.daily_use
        facts.notes.daily_used[(use.source_no, use.target_no)] = use.used_units
        facts.notes.daily_changed.add((use.source_no, use.target_no))
    if posting.progress is not None:
        followed = posting.original_id or transfer_id
        facts.notes.progress[followed] = posting.progress
        facts.notes.progress_changed.add(followed)
    if posting.spend is not None:
        facts.notes.carried[posting.spend.rule_id] = posting.spend.carried_minor
        facts.notes.carried_changed.add(posting.spend.rule_id)
    if posting.quote_id is not None:
        facts.notes.quotes[posting.quote_id] = facts.notes.quotes[posting.quote_id]._replace(transfer_id=transfer_id)
        facts.notes.quotes_used.add(posting.quote_id)
    if posting.tier:
        facts.notes.tiers[transfer_id] = posting.tier
    if facts.idle_after:
        _postpone_ends(posting, facts)
    if posting.unused:
        for leg in posting.legs:
            if leg.lot_id is not None:
                facts.notes.unused_added[leg.lot_id] = facts.notes.unused_added.get(leg.lot_id, 0) + leg.units


def _postpone_ends(posting: Posting, facts: MemberFacts) -> None:
    """What is done with an account postpones the end of all its points; giving back and ending do not."""
    for number in {leg.currency_no for leg in posting.legs} & facts.idle_after.keys():
        facts.notes.ends_changed.add(number)
        if posting.is_activity or number not in facts.notes.ends:
            facts.notes.ends[number] = facts.now + facts.idle_after[number]
        elif facts.notes.ends[number] <= facts.now:
            # What comes back to an account that has ended cannot be used any more.
            facts.accounts[number].lots.clear()
