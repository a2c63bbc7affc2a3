"""What a rule may look at: one member's accounts and lots as the commands before it in the batch left them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from exchange.ledger.model import Account as ChartAccount
from exchange.ledger.model import Lot, NewLot, PointsLeg, Posting, Side
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, InsufficientPoints

MEMBER, CREDIT = int(ChartAccount.MEMBER), int(Side.CREDIT)
NEVER = datetime.max.replace(tzinfo=UTC)


def spending_order(lot: Lot) -> tuple[datetime, datetime, UUID]:
    """Nearest expiry first, then oldest, then by id."""
    return (lot.expires_at or NEVER, lot.earned_at, lot.lot_id)


@dataclass(slots=True)
class MemberAccount:
    """A working copy of one account, locked for the batch.

    Attributes:
        available: points of all open lots, whether or not their expiry was already posted.
        sequence: number of the latest transfer on the account; the next one has the next number.
        lots: spendable lots in spending order; enough of them to cover what the batch may take, or all there are.
    """

    bucket: int
    member_id: UUID
    currency_no: int
    available: int
    sequence: int
    lots: list[Lot] = field(default_factory=list)
    touched: bool = False

    @property
    def spendable(self) -> int:
        """Points that may be spent now."""
        return sum(lot.remaining for lot in self.lots)

    def take(self, currency: str, units: int) -> list[tuple[Lot, int]]:
        """Which lots give how many of `units` points. Changes nothing.

        Raises:
            InsufficientPoints: carries both figures.
        """
        taken = []
        wanted = units
        for lot in self.lots:
            part = min(lot.remaining, wanted)
            taken.append((lot, part))
            wanted -= part
            if not wanted:
                return taken
        raise InsufficientPoints(currency=f"currencies/{currency}", available=units - wanted, requested=units)

    def require_room(self, units: int) -> None:
        """Refuse a credit that would pass 64 bits.

        Raises:
            AmountOverflow: the balance would.
        """
        if self.available > INT64_MAX - units:
            raise AmountOverflow(figure="balance", balance=self.available, credit=units)

    def copy(self) -> MemberAccount:
        """For trying out a group that may have to be undone."""
        return MemberAccount(
            self.bucket, self.member_id, self.currency_no, self.available, self.sequence, list(self.lots), self.touched
        )


@dataclass(slots=True)
class MemberFacts:
    """Everything a rule knows of the member and the moment.

    Attributes:
        now: event time, by the coalition's clock.
        today: the day of `now` in the coalition's time zone.
        accounts: by currency number; every account the command names is there.
        daily_used: source points used today by (source, target); absent: none.
        daily_changed: which of them the batch changed.
    """

    now: datetime
    today: date
    member_id: UUID
    accounts: dict[int, MemberAccount]
    daily_used: dict[tuple[int, int], int] = field(default_factory=dict)
    daily_changed: set[tuple[int, int]] = field(default_factory=set)


def apply(
    posting: Posting, facts: MemberFacts, born: Mapping[int, UUID], changed_lots: dict[UUID, tuple[int, int]]
) -> list[PointsLeg]:
    """Carry a posting into the working copies; give back its legs with sequence numbers and the new lots' ids.

    Args:
        posting: what the rule decided, from these very facts.
        facts: changed in place.
        born: ids of the posting's new lots by currency number.
        changed_lots: bucket and remaining points by lot, for every lot taken from; changed in place.
    """
    numbered = []
    sequences: dict[int, int] = {}
    new_lots = {lot.currency_no: lot for lot in posting.new_lots}
    for leg in posting.legs:
        account_kind, side, currency_no, units, _, lot_id = leg
        if account_kind != MEMBER:
            numbered.append(leg)
            continue
        account = facts.accounts[currency_no]
        sequence = sequences.get(currency_no)
        if sequence is None:
            sequence = sequences[currency_no] = account.sequence = account.sequence + 1
            account.touched = True
        if side == CREDIT:
            lot_id = born[currency_no]
            _put(account, lot_id, new_lots[currency_no], facts.now)
        else:
            assert lot_id is not None, "points are taken from lots"
            _spend(account, lot_id, units, changed_lots)
        numbered.append(PointsLeg(account_kind, side, currency_no, units, sequence, lot_id))
    if posting.daily_use is not None:
        use = posting.daily_use
        facts.daily_used[(use.source_no, use.target_no)] = use.used_units
        facts.daily_changed.add((use.source_no, use.target_no))
    return numbered


def _put(account: MemberAccount, lot_id: UUID, lot: NewLot, now: datetime) -> None:
    account.available += lot.units
    insort(
        account.lots,
        Lot(lot_id, lot.units, lot.funder_no, lot.price_micros, now, lot.expires_at),
        key=spending_order,
    )


def _spend(account: MemberAccount, lot_id: UUID, units: int, changed_lots: dict[UUID, tuple[int, int]]) -> None:
    account.available -= units
    for place, lot in enumerate(account.lots):
        if lot.lot_id == lot_id:
            left = lot.remaining - units
            assert left >= 0, "a rule took more than a lot holds"
            changed_lots[lot_id] = (account.bucket, left)
            if left:
                account.lots[place] = Lot(lot_id, left, *lot[2:])
            else:
                del account.lots[place]
            return
    raise AssertionError("a rule took from a lot it was not shown")
