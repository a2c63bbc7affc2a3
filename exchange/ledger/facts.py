"""What a rule may look at: one member's accounts and lots as the commands before it in the batch left them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from exchange.ledger.bonus_lots import place_bonuses
from exchange.ledger.bonuses import BonusFacts
from exchange.ledger.external import Begun, Ended
from exchange.ledger.model import Account as ChartAccount
from exchange.ledger.model import Lot, NewLot, PointsLeg, Posting, Progress, Side, Transfer, a_leg, a_lot
from exchange.ledger.quote import Quote
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, InsufficientPoints

MEMBER: Final = int(ChartAccount.MEMBER)
HELD: Final = int(ChartAccount.HELD)
OVERDRAFT: Final = int(ChartAccount.OVERDRAFT)
CIRCULATION: Final = int(ChartAccount.CIRCULATION)
CREDIT: Final = int(Side.CREDIT)
NEVER: Final = datetime.max.replace(tzinfo=UTC)
_NEVER_IDLE: Mapping[int, timedelta] = {}


def spending_order(lot: Lot) -> tuple[datetime, datetime, UUID]:
    """Nearest expiry first, then oldest, then by id."""
    return (lot.expires_at or NEVER, lot.earned_at, lot.lot_id)


class MemberAccount:
    """A working copy of one account, locked for the batch.

    Attributes:
        available: points of all open lots, whether or not their expiry was already posted, less `overdrawn`.
        sequence: number of the latest transfer on the account; the next one has the next number.
        held: points reserved by holds.
        overdrawn: points the member owes; while there are any, there is nothing to spend.
        is_closed: the membership is over.
        lots: spendable lots in spending order; enough of them to cover what the batch may take, or all there are.
        known: every lot that was read or made, as it is now.
        born: lots made in this batch, with the transfer that made each.
        changed: lots whose rows must be written.
        due: ids of open lots that have reached their end, where a command asked for them.
        whole: ids of all open lots, where a command asked for them.
    """

    __slots__ = (
        "available", "born", "bucket", "changed", "currency_no", "due", "held", "is_closed", "known", "lots",
        "member_id", "overdrawn", "sequence", "touched", "whole",
    )  # fmt: skip

    def __init__(
        self,
        bucket: int,
        member_id: UUID,
        currency_no: int,
        available: int,
        sequence: int,
        held: int = 0,
        overdrawn: int = 0,
        is_closed: bool = False,  # noqa: FBT001, FBT002 - the columns of the account's row, in their order
    ) -> None:
        self.bucket, self.member_id, self.currency_no = bucket, member_id, currency_no
        self.available, self.sequence, self.held, self.overdrawn = available, sequence, held, overdrawn
        self.is_closed = is_closed
        self.lots: list[Lot] = []
        self.known: dict[UUID, Lot] = {}
        self.born: dict[UUID, tuple[NewLot, UUID]] = {}
        self.changed: set[UUID] = set()
        self.due: list[UUID] = []
        self.whole: list[UUID] | None = None
        self.touched = False

    @property
    def spendable(self) -> int:
        """Points that may be spent now."""
        units = 0
        for lot in self.lots:
            units += lot.remaining
        return units

    def show(self, lot: Lot, now: datetime) -> None:
        """Put a lot that was read before the rules; one that is shown twice stays as it is."""
        if lot.lot_id not in self.known:
            self.known[lot.lot_id] = lot
            self._place(None, lot, now)

    def offer(self, lot: Lot) -> None:
        """Put a spendable lot, read before the rules and in spending order."""
        self.known[lot.lot_id] = lot
        self.lots.append(lot)

    def take(self, currency: str, units: int) -> list[tuple[Lot, int]]:
        """Which lots give how many of `units` points. Changes nothing.

        Raises:
            InsufficientPoints: carries both figures.
        """
        taken = []
        wanted = units
        for lot in self.lots:
            if not wanted:
                break
            part = min(lot.remaining, wanted)
            taken.append((lot, part))
            wanted -= part
        if wanted:
            raise InsufficientPoints(currency=f"currencies/{currency}", available=units - wanted, requested=units)
        return taken

    def require_room(self, units: int) -> None:
        """Refuse a credit that would pass 64 bits.

        Raises:
            AmountOverflow: the balance would.
        """
        if self.available + self.held > INT64_MAX - units:
            raise AmountOverflow(figure="balance", balance=self.available, credit=units)

    def move(self, chart_account: int, side: int, units: int, lot_id: UUID | None, now: datetime) -> None:
        """Carry one leg into the working copy."""
        change = units if side == CREDIT else -units
        if chart_account == OVERDRAFT:
            self.overdrawn -= change
            self.available += change
            return
        assert lot_id is not None, "points of a member are in lots"
        before = self.known[lot_id]
        _, remaining, funder_no, price_micros, earned_at, expires_at, held = before
        if chart_account == HELD:
            self.held += change
            held += change
        else:
            self.available += change
            remaining += change
        assert remaining >= 0, "a rule took more than a lot holds"
        assert held >= 0, "a rule gave back more than a lot has reserved"
        lot = a_lot(lot_id, remaining, funder_no, price_micros, earned_at, expires_at, held)
        self.known[lot_id] = lot
        self.changed.add(lot_id)
        self._place(before, lot, now)

    def _place(self, before: Lot | None, lot: Lot, now: datetime) -> None:
        """Keep `lots` in order: a lot stands there while it can be spent."""
        lots = self.lots
        if before is not None and lots and lots[0] is before and lot.remaining:
            # Nearly always points come off the lot that is spent next.
            lots[0] = lot
            return
        place = bisect_left(lots, spending_order(lot), key=spending_order) if lots else 0
        if place < len(lots) and lots[place].lot_id == lot.lot_id:
            if lot.remaining:
                lots[place] = lot
            else:
                del lots[place]
        elif lot.remaining and (lot.expires_at is None or lot.expires_at > now):
            lots.insert(place, lot)

    def copy(self) -> MemberAccount:
        """For trying out a group that may have to be undone."""
        copy = MemberAccount(
            self.bucket,
            self.member_id,
            self.currency_no,
            self.available,
            self.sequence,
            self.held,
            self.overdrawn,
            self.is_closed,
        )
        copy.lots, copy.known, copy.born = list(self.lots), dict(self.known), dict(self.born)
        copy.changed, copy.due, copy.whole = set(self.changed), list(self.due), self.whole
        copy.touched = self.touched
        return copy


class MemberFacts:
    """Everything a rule knows of the member and the moment.

    Attributes:
        now: event time, by the coalition's clock.
        today: the day of `now` in the coalition's time zone.
        member_id: whose accounts.
        bucket: where the member's rows live.
        accounts: by currency number; every account the command names is there.
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
        idle_after: after how long without anything done the points of an account end, by number of the currencies where
            they do.
        ends: when the account of such a currency ends; absent: it is new.
        ends_changed: which of them the batch has touched.
        bonuses: what promotions may give and get back; None: none concerns the member in this batch.
        references: how merchants that keep their currencies' balances themselves know the member, by their numbers.
        external: conversions the batch begins or ends that wait for such a merchant, with the transfers that do so.
        is_closed: the membership is over: nothing moves any more but what ends.
    """

    __slots__ = (
        "accounts", "bonuses", "bucket", "carried", "carried_changed", "daily_changed", "daily_used", "ends",
        "ends_changed", "external", "idle_after", "is_closed", "member_id", "now", "originals", "progress",
        "progress_changed", "quotes", "quotes_used", "references", "tiers", "today", "unused", "unused_added",
    )  # fmt: skip

    def __init__(
        self, now: datetime, today: date, member_id: UUID, accounts: dict[int, MemberAccount], bucket: int = 0
    ) -> None:
        self.now, self.today, self.member_id, self.accounts, self.bucket = now, today, member_id, accounts, bucket
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
        self.idle_after: Mapping[int, timedelta] = _NEVER_IDLE
        self.ends: dict[int, datetime] = {}
        self.ends_changed: set[int] = set()
        self.bonuses: BonusFacts | None = None
        self.references: dict[int, str] = {}
        self.external: list[tuple[UUID, Begun | Ended]] = []
        self.is_closed = False

    def unused_of(self, lot: Lot) -> int:
        """Points of a lot that ended unused, whether or not its end was already posted."""
        ended = self.unused.get(lot.lot_id, 0) + self.unused_added.get(lot.lot_id, 0)
        return ended + (lot.remaining if lot.expires_at is not None and lot.expires_at <= self.now else 0)

    def copy(self) -> MemberFacts:
        """For trying out a group that may have to be undone."""
        accounts = {number: account.copy() for number, account in self.accounts.items()}
        copy = MemberFacts(self.now, self.today, self.member_id, accounts, self.bucket)
        copy.daily_used, copy.daily_changed = dict(self.daily_used), set(self.daily_changed)
        copy.progress, copy.progress_changed = dict(self.progress), set(self.progress_changed)
        copy.carried, copy.carried_changed = dict(self.carried), set(self.carried_changed)
        copy.quotes, copy.quotes_used = dict(self.quotes), set(self.quotes_used)
        copy.tiers, copy.unused_added = dict(self.tiers), dict(self.unused_added)
        copy.ends, copy.ends_changed = dict(self.ends), set(self.ends_changed)
        copy.bonuses = None if self.bonuses is None else self.bonuses.copy()
        copy.external, copy.is_closed = list(self.external), self.is_closed
        # What no rule changes is shared.
        copy.originals, copy.unused = self.originals, self.unused
        copy.idle_after, copy.references = self.idle_after, self.references
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
        account.born[new_id] = (lot, transfer_id)
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
        facts.external.append((transfer_id, posting.external))
    if posting.bonuses:
        assert facts.bonuses is not None, "a promotion gave what nobody had counted"
        facts.bonuses.note(posting.bonuses, transfer_id, posting.original_id)
    return numbered


def _note(posting: Posting, facts: MemberFacts, transfer_id: UUID) -> None:
    """What the posting says beside its legs."""
    if posting.daily_use is not None:
        use = posting.daily_use
        facts.daily_used[(use.source_no, use.target_no)] = use.used_units
        facts.daily_changed.add((use.source_no, use.target_no))
    if posting.progress is not None:
        followed = posting.original_id or transfer_id
        facts.progress[followed] = posting.progress
        facts.progress_changed.add(followed)
    if posting.spend is not None:
        facts.carried[posting.spend.rule_id] = posting.spend.carried_minor
        facts.carried_changed.add(posting.spend.rule_id)
    if posting.quote_id is not None:
        facts.quotes[posting.quote_id] = facts.quotes[posting.quote_id]._replace(transfer_id=transfer_id)
        facts.quotes_used.add(posting.quote_id)
    if posting.tier:
        facts.tiers[transfer_id] = posting.tier
    if facts.idle_after:
        _postpone_ends(posting, facts)
    if posting.unused:
        for leg in posting.legs:
            if leg.lot_id is not None:
                facts.unused_added[leg.lot_id] = facts.unused_added.get(leg.lot_id, 0) + leg.units


def _postpone_ends(posting: Posting, facts: MemberFacts) -> None:
    """What is done with an account postpones the end of all its points; giving back and ending do not."""
    for number in {leg.currency_no for leg in posting.legs} & facts.idle_after.keys():
        facts.ends_changed.add(number)
        if posting.is_activity or number not in facts.ends:
            facts.ends[number] = facts.now + facts.idle_after[number]
        elif facts.ends[number] <= facts.now:
            # What comes back to an account that has ended cannot be used any more.
            facts.accounts[number].lots.clear()
