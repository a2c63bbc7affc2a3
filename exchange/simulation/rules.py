"""One past movement through its own rule again, in the coalition as it would have been. Pure.

Whoever asked is taken to have asked for the same: as many points to award, to take or to convert as moved then. What a
member would have owned is not followed, so that nothing fails for want of points: fewer points from one conversion do
not undo the redemptions after it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.campaign.model import UseInCampaign
from exchange.cashout.model import CashOut
from exchange.conversion.model import Convert
from exchange.discount.model import Discount
from exchange.earning.model import Earn
from exchange.expiry.model import Expire
from exchange.holds.model import Capture, Hold
from exchange.ledger.facts import MemberAccount, MemberFacts
from exchange.ledger.model import (
    Account,
    Command,
    DailyUse,
    Lot,
    MemberCommand,
    MemberKey,
    Posting,
    Progress,
    Side,
    Transfer,
    TransferKind,
)
from exchange.movements import decide
from exchange.rates.model import Coalition, Pair
from exchange.redemption.model import Redeem
from exchange.refusals import Refusal
from exchange.reversal.rules import mirrored, moved_units
from exchange.simulation.model import Comparison, Happened, Played

CREDENTIAL = "exchange/simulation"
_SOME_LOT = UUID(int=0)
"""Points are taken from one lot of each account, whichever it was."""
TAKING: dict[int, type[MemberCommand]] = {
    TransferKind.REDEEM: Redeem,
    TransferKind.DISCOUNT: Discount,
    TransferKind.CAMPAIGN: UseInCampaign,
    TransferKind.CASH_OUT: CashOut,
}
UNCHANGING = frozenset({TransferKind.RELEASE})
"""Kinds in which no rate and no price has a part."""


PROMOTED = "PROMOTED"
"""What budgets and caps had left depends on all that came before: what promotions had a part in stays as it was."""


class DroppedOut(Exception):
    """The movement follows one that would have been refused."""


class Replay:
    """Movements played in ledger order; what a member used of a daily cap is remembered for the day.

    Args:
        coalition: as it would have been.
        since: movements before this instant are as they were, whoever follows them.
    """

    def __init__(self, coalition: Coalition, since: datetime) -> None:
        self._coalition, self._since = coalition, since
        self._refused: set[UUID | None] = set()
        self._counted: UUID | None = None
        self._day: date | None = None
        self._used: dict[UUID, dict[Pair, int]] = {}
        self._rules: dict[int, Callable[[Happened], Played]] = {
            TransferKind.EARN: self._earned,
            TransferKind.CONVERT: self._converted,
            TransferKind.HOLD: self._held,
            TransferKind.CAPTURE: self._captured,
            TransferKind.REVERSAL: self._reversed,
            TransferKind.EXPIRE: self._expired,
        }
        self._rules |= dict.fromkeys(TAKING, self._taken)

    def count(self, happened: Happened, into: Comparison) -> None:
        """Play one movement, and add both sides of it to a comparison."""
        transfer = happened.transfer
        is_reversal = transfer.kind == TransferKind.REVERSAL
        into.movements += 1
        into.actual.add(transfer.legs, transfer.obligations, is_reversal=is_reversal)
        if transfer.kind not in self._rules and transfer.kind not in UNCHANGING:
            into.kept[TransferKind(transfer.kind).name] += 1
        elif happened.is_promoted:
            into.kept[PROMOTED] += 1
        self._counted = transfer.transfer_id
        try:
            played = self.play(happened)
        except (DroppedOut, Refusal) as no:
            self._refused.add(transfer.transfer_id)
            into.changed += 1
            if isinstance(no, Refusal):
                into.refused[no.reason] += 1
            else:
                into.dropped += 1
            return
        if played.daily_use is not None:
            use = played.daily_use
            self._used.setdefault(transfer.member_id, {})[(use.source_no, use.target_no)] = use.used_units
        into.draft.add(played.legs, played.obligations, is_reversal=is_reversal)
        into.changed += _said(played) != _said(as_it_was(transfer))

    def play(self, happened: Happened) -> Played:
        """What would have come of a movement.

        Raises:
            Refusal: it would have been refused.
            DroppedOut: so would have been what it follows.
        """
        transfer = happened.transfer
        if transfer.transfer_id in self._refused:
            raise DroppedOut
        rule = self._rules.get(transfer.kind)
        if rule is None or happened.is_promoted or happened.decided_at < self._since:
            return as_it_was(transfer)
        return rule(happened)

    def _earned(self, happened: Happened) -> Played:
        made = _circulation(happened.transfer, Side.DEBIT)
        if not made:
            # Money spent that made no point yet.
            return as_it_was(happened.transfer)
        ((number, units),) = made.items()
        return self._decided(Earn(**self._asked(happened, number, units)), happened, {number: 0})

    def _taken(self, happened: Happened) -> Played:
        ((number, units),) = _circulation(happened.transfer, Side.CREDIT).items()
        command = TAKING[happened.transfer.kind](**self._asked(happened, number, units))
        return self._decided(command, happened, {number: units})

    def _converted(self, happened: Happened) -> Played:
        ((source, used),) = _circulation(happened.transfer, Side.CREDIT).items()
        (target,) = _circulation(happened.transfer, Side.DEBIT)
        code = self._coalition.directory.currencies[target].code
        command = Convert(**self._asked(happened, source, used), target=code, tier=happened.tier)
        return self._decided(command, happened, {source: used, target: 0})

    def _held(self, happened: Happened) -> Played:
        transfer = happened.transfer
        number = transfer.legs[0].currency_no
        units = sum(leg.units for leg in transfer.legs if (leg.account, leg.side) == (Account.HELD, Side.CREDIT))
        assert transfer.expires_at is not None, "a hold lapses"
        asked = self._asked(happened, number, units)
        played = self._decided(
            Hold(**asked, lifetime=transfer.expires_at - transfer.occurred_at), happened, {number: units}
        )
        return played._replace(legs=transfer.legs)

    def _captured(self, happened: Happened) -> Played:
        transfer, hold = happened.transfer, happened.original
        assert hold is not None, "a capture follows a hold"
        name = hold.transfer.transfer_id
        assert name is not None
        frozen = self.play(hold).frozen_price_micros
        ((number, units),) = _circulation(transfer, Side.CREDIT).items()
        facts = self._facts(happened, {number: 0})
        facts.originals[name] = hold.transfer._replace(frozen_price_micros=frozen)
        facts.progress[name] = Progress(0, ended=False, lapses_at=hold.transfer.expires_at)
        command = Capture(**_common(transfer), original=name, units=units)
        return _played(decide(command, facts, self._coalition))

    def _reversed(self, happened: Happened) -> Played:
        transfer, original = happened.transfer, happened.original
        assert original is not None, "a reversal follows what it reverses"
        now = self.play(original)
        if original.transfer.kind == TransferKind.CONVERT:
            # Whole, whatever it came to.
            converted = original.transfer._replace(legs=now.legs)
            legs = [leg._replace(side=Side.CREDIT if leg.side == Side.DEBIT else Side.DEBIT) for leg in now.legs]
            total = moved_units(converted)
            back = self._unused(converted, transfer)
            return Played(legs, mirrored(now.obligations, 0, total, total), daily_use=back)
        total, before = moved_units(original.transfer), happened.before_units
        return Played(transfer.legs, mirrored(now.obligations, before, before + moved_units(transfer), total))

    def _unused(self, converted: Transfer, reversal: Transfer) -> DailyUse | None:
        """What the member's daily cap is given back on the day of the conversion."""
        today = self._today(reversal)
        used = self._used.get(reversal.member_id, {}) if today == self._day == self._today(converted) else {}
        ((source, units),) = _circulation(converted, Side.CREDIT).items()
        (target,) = _circulation(converted, Side.DEBIT)
        before = used.get((source, target))
        return None if before is None else DailyUse(source, target, today, max(before - units, 0))

    def _expired(self, happened: Happened) -> Played:
        (number,) = {leg.currency_no for leg in happened.transfer.legs}
        facts = self._facts(happened, {number: 0})
        account, now = facts.accounts[number], happened.transfer.occurred_at
        for ended in happened.ended:
            try:
                made_at = ended.price_micros if ended.birth is None else self.play(ended.birth).lot_prices.get(number)
            except (DroppedOut, Refusal):
                continue
            price = ended.price_micros if made_at is None else made_at
            account.show(Lot(ended.lot_id, ended.units, ended.funder_no, price, now, None), now)
            account.due.append(ended.lot_id)
        if not account.due:
            raise DroppedOut
        return _played(decide(Expire(**self._asked(happened, number, 0)), facts, self._coalition))

    def _decided(self, command: Command, happened: Happened, holding: dict[int, int]) -> Played:
        return _played(decide(command, self._facts(happened, holding), self._coalition))

    def _facts(self, happened: Happened, holding: dict[int, int]) -> MemberFacts:
        """The member with just the points that the movement needs."""
        transfer, now = happened.transfer, happened.decided_at
        today = self._today(transfer)
        facts = MemberFacts(now, today, transfer.member_id, {}, transfer.bucket)
        for number, units in holding.items():
            account = MemberAccount(transfer.bucket, transfer.member_id, number, units, 0)
            if units:
                account.show(Lot(_SOME_LOT, units, transfer.merchant_no, 0, now, None), now)
            facts.accounts[number] = account
        if today != self._day:
            self._day, self._used = today, {}
        if transfer.transfer_id == self._counted:
            # What is played once more because something follows it has used its part of the cap already.
            facts.daily_used.update(self._used.get(transfer.member_id, {}))
        return facts

    def _today(self, transfer: Transfer) -> date:
        return transfer.occurred_at.astimezone(self._coalition.time_zone).date()

    def _asked(self, happened: Happened, number: int, units: int) -> dict[str, Any]:
        transfer = happened.transfer
        code = self._coalition.directory.currencies[number].code
        member = MemberKey(transfer.merchant_no, transfer.member_id, None)
        return {**_common(transfer), "member": member, "currency": code, "units": units}


def _common(transfer: Transfer) -> dict[str, Any]:
    return {
        "merchant_no": transfer.merchant_no,
        "credential": CREDENTIAL,
        "request_id": transfer.request_id,
        "fingerprint": b"",
    }


def as_it_was(transfer: Transfer) -> Played:
    """A movement taken over unchanged."""
    return Played(transfer.legs, transfer.obligations, transfer.frozen_price_micros)


def _played(posting: Posting) -> Played:
    prices = {lot.currency_no: lot.price_micros for lot in posting.new_lots}
    return Played(posting.legs, posting.obligations, posting.frozen_price_micros, prices, posting.daily_use)


def _circulation(transfer: Transfer, side: Side) -> dict[int, int]:
    """Points made (debit) or burnt (credit) by currency number."""
    found: dict[int, int] = {}
    for leg in transfer.legs:
        if (leg.account, leg.side) == (Account.CIRCULATION, side):
            found[leg.currency_no] = found.get(leg.currency_no, 0) + leg.units
    return found


def _said(played: Played) -> tuple[object, ...]:
    """What a movement came to, so that two can be compared: lots and sequences are no part of it."""
    points = sorted((leg.side, leg.currency_no, leg.units) for leg in played.legs if leg.account == Account.CIRCULATION)
    return points, sorted(tuple(owed) for owed in played.obligations), played.frozen_price_micros
