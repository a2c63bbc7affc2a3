"""One account as the commands before it in the batch left it: its points, and its lots in the order of spending."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from exchange.ledger.making import a_lot
from exchange.ledger.model import Account as ChartAccount
from exchange.ledger.model import Lot, NewLot, Side
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, InsufficientPoints

HELD: Final = int(ChartAccount.HELD)
OVERDRAFT: Final = int(ChartAccount.OVERDRAFT)
CREDIT: Final = int(Side.CREDIT)
NEVER: Final = datetime.max.replace(tzinfo=UTC)
NOTHING: Final = (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""In spending order before every lot."""
LOTS_KEPT: Final = 8
"""Most spendable lots of an account that are kept between batches, and most of others that are let lie about."""


def spending_order(lot: Lot) -> tuple[datetime, datetime, UUID]:
    """Nearest expiry first, then oldest, then by id."""
    return (lot.expires_at or NEVER, lot.earned_at, lot.lot_id)


class MemberAccount:
    """A working copy of one account, locked for the batch.

    Attributes:
        available: points of all open lots, whether or not their expiry was already posted, less `overdrawn`.
        sequence: number of the latest transfer on the account; the next one has the next number.
        sequence_before: what it was before the batch; None: nobody has made the account yet.
        held: points reserved by holds.
        overdrawn: points the member owes; while there are any, there is nothing to spend.
        is_closed: the membership is over.
        lots: spendable lots in spending order; enough of them to cover what the batch may take, or all there are.
        seen_to: the place in that order up to which every lot is known; None: up to the last.
        is_remembered: it was not looked at for this batch.
        known: every lot that was read or made, as it is now.
        changed: lots whose rows must be written; those made in this batch with the transfer that made each.
        due: ids of open lots that have reached their end, where a command asked for them and there are any.
        whole: ids of all open lots, where a command asked for them.
    """

    __slots__ = (
        "available", "bucket", "changed", "currency_no", "due", "held", "is_closed", "is_remembered", "known", "lots",
        "member_id", "overdrawn", "seen_to", "sequence", "sequence_before", "touched", "whole",
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
        self.sequence_before: int | None = sequence
        self.is_closed = is_closed
        self.is_remembered = False
        self.lots: list[Lot] = []
        self.seen_to: tuple[datetime, datetime, UUID] | None = None
        self.known: dict[UUID, Lot] = {}
        self.changed: dict[UUID, tuple[NewLot, UUID] | None] = {}
        self.due: list[UUID] | None = None
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

    def saw_lots(self, wanted: int) -> None:
        """Every lot was shown that was asked for: as many as hold so many points, or all."""
        if self.sequence_before is None:
            # Nobody has made it yet: there are none.
            return
        if not wanted:
            self.seen_to = NOTHING
        elif self.lots and self.spendable >= wanted:
            self.seen_to = spending_order(self.lots[-1])

    def covers(self, wanted: int, now: datetime) -> bool:
        """Whether so many points may be taken knowing only these lots, those left out that have ended by now."""
        lots = self.lots
        while lots:
            expires_at = lots[0].expires_at
            if expires_at is None or expires_at > now:
                break
            del lots[0]
        if self.seen_to is None or not wanted:
            return True
        return bool(lots) and (lots[0].remaining >= wanted or self.spendable >= wanted)

    def rest(self) -> None:
        """Between batches: as this one leaves it, what is to be written taken out."""
        lots, seen_to = self.lots, self.seen_to
        if seen_to is not None:
            # A lot that was made since may stand behind others that nobody has looked at.
            while lots and spending_order(lots[-1]) > seen_to:
                del lots[-1]
        # Afterwards: the last of those that are kept must be one up to which all were seen.
        if len(lots) > LOTS_KEPT:
            del lots[LOTS_KEPT:]
            self.seen_to = spending_order(lots[-1])
        if len(self.known) > len(lots) + LOTS_KEPT:
            self.known = {lot.lot_id: lot for lot in lots}
        if self.changed:
            self.changed.clear()
        self.sequence_before = self.sequence
        self.touched = False
        self.is_remembered = True

    def note_due(self, lot_id: UUID) -> None:
        """A lot that has reached its end is to be ended, where a command asks for that."""
        if self.due is None:
            self.due = []
        self.due.append(lot_id)

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
        self.changed.setdefault(lot_id, None)
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
        copy.lots, copy.known, copy.changed = list(self.lots), dict(self.known), dict(self.changed)
        copy.due, copy.whole = None if self.due is None else list(self.due), self.whole
        copy.touched, copy.sequence_before = self.touched, self.sequence_before
        copy.seen_to, copy.is_remembered = self.seen_to, self.is_remembered
        return copy
