"""One past movement through its own rule again, in the coalition as it would have been. Pure.

Whoever asked is taken to have asked for the same: as many points to award, to take or to convert as moved then. What a
member would have owned is not followed, so that nothing fails for want of points: fewer points from one conversion do
not undo the redemptions after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from exchange.ledger.bonuses import BonusFacts, Budgets
from exchange.ledger.facts import MemberFacts
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import (
    Account,
    Command,
    DailyUse,
    Lot,
    MemberCommand,
    MemberKey,
    Progress,
    Side,
    Transfer,
    TransferKind,
)
from exchange.movements import decide
from exchange.promotions.model import NO_PROMOTIONS, Promotion
from exchange.rates.model import Coalition, Pair
from exchange.redemption.model import Redeem
from exchange.refusals import Refusal
from exchange.reversal.rules import mirrored, moved_units
from exchange.simulation.bonuses import Giving
from exchange.simulation.model import Comparison, Happened, Played
from exchange.simulation.outcomes import as_it_was, circulation, given_units, outcome, said

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


class DroppedOut(Exception):
    """The movement follows one that would have been refused."""


class Replay:
    """Movements played in ledger order; what a member used of a daily cap is remembered for the day.

    Args:
        coalition: as it would have been.
        since: movements before this instant are as they were, whoever follows them.
        used: points given of promotions' budgets before it, by promotion number.
    """

    def __init__(self, coalition: Coalition, since: datetime, used: Mapping[int, int] | None = None) -> None:
        self._coalition, self._since = coalition, since
        self._unpromoted = replace(coalition, promotions=NO_PROMOTIONS)
        self._giving = Giving(coalition, used or {})
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
        was, promotions = as_it_was(happened), self._coalition.promotions.by_number
        into.actual.add(was, promotions, is_reversal=is_reversal)
        self._giving.meet(happened)
        if transfer.kind not in self._rules and transfer.kind not in UNCHANGING:
            into.kept[TransferKind(transfer.kind).name] += 1
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
        if self._stays(happened):
            self._giving.keep(happened)
        into.draft.add(played, promotions, is_reversal=is_reversal)
        into.changed += said(played) != said(was)

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
        if rule is None or happened.decided_at < self._since:
            return as_it_was(happened)
        return rule(happened)

    def _stays(self, happened: Happened) -> bool:
        """Whether the bonuses of a movement are those it had: decided before the first day, or what it reverses was."""
        original = happened.original
        return (happened if original is None else original).decided_at < self._since

    def _earned(self, happened: Happened) -> Played:
        made = circulation(happened.transfer, Side.DEBIT)
        if not made:
            # Money spent that made no point yet.
            return as_it_was(happened)
        ((number, units),) = made.items()
        transfer = happened.transfer
        promotions = self._coalition.promotions.on_earn(transfer.merchant_no, number, transfer.occurred_at)
        command = Earn(**self._asked(happened, number, units - given_units(happened)))
        return self._given(command, promotions, happened, {number: 0})

    def _taken(self, happened: Happened) -> Played:
        ((number, units),) = circulation(happened.transfer, Side.CREDIT).items()
        command = TAKING[happened.transfer.kind](**self._asked(happened, number, units))
        return self._decided(command, happened, {number: units})

    def _converted(self, happened: Happened) -> Played:
        ((source, used),) = circulation(happened.transfer, Side.CREDIT).items()
        (target,) = circulation(happened.transfer, Side.DEBIT)
        code = self._coalition.directory.currencies[target].code
        command = Convert(**self._asked(happened, source, used), target=code, tier=happened.tier)
        # A quote promises its terms, and no promotion.
        promotions = self._coalition.promotions.on_conversion(source, target, happened.transfer.occurred_at)
        return self._given(command, promotions, happened, {source: used, target: 0})

    def _given(
        self, command: Command, promotions: Sequence[Promotion], happened: Happened, holding: dict[int, int]
    ) -> Played:
        """An award or a conversion, and what promotions add to it."""
        facts = self._facts(happened, holding)
        posting = decide(command, facts, self._unpromoted)
        self._giving.add(posting, promotions, facts, happened)
        return self._giving.told(outcome(posting), happened)

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
        ((number, units),) = circulation(transfer, Side.CREDIT).items()
        facts = self._facts(happened, {number: 0})
        facts.notes.originals[name] = hold.transfer._replace(frozen_price_micros=frozen)
        facts.notes.progress[name] = Progress(0, ended=False, lapses_at=hold.transfer.expires_at)
        command = Capture(**_common(transfer), original=name, units=units)
        return outcome(decide(command, facts, self._coalition))

    def _reversed(self, happened: Happened) -> Played:
        transfer, original = happened.transfer, happened.original
        assert original is not None, "a reversal follows what it reverses"
        now = self.play(original)
        if original.transfer.kind == TransferKind.CONVERT:
            # Whole, whatever it came to.
            converted = original.transfer._replace(legs=now.legs)
            legs = [leg._replace(side=Side.CREDIT if leg.side == Side.DEBIT else Side.DEBIT) for leg in now.legs]
            total = part = moved_units(converted)
            played = Played(
                legs, mirrored(now.obligations, 0, total, total), daily_use=self._unused(converted, transfer)
            )
        else:
            total = moved_units(original.transfer)
            part, before = moved_units(transfer), happened.before_units
            if original.transfer.kind == TransferKind.EARN:
                total, part = total - given_units(original), part - given_units(happened)
            played = Played(transfer.legs, mirrored(now.obligations, before, before + part, total))
        if self._stays(happened):
            return as_it_was(happened)._replace(daily_use=played.daily_use)
        if not self._coalition.promotions:
            return played
        facts = self._facts(happened, dict.fromkeys((leg.currency_no for leg in original.transfer.legs), 0))
        return self._giving.take_back(played, happened, part, total, facts)

    def _unused(self, converted: Transfer, reversal: Transfer) -> DailyUse | None:
        """What the member's daily cap is given back on the day of the conversion."""
        today = self._today(reversal)
        used = self._used.get(reversal.member_id, {}) if today == self._day == self._today(converted) else {}
        ((source, units),) = circulation(converted, Side.CREDIT).items()
        (target,) = circulation(converted, Side.DEBIT)
        before = used.get((source, target))
        return None if before is None else DailyUse(source, target, today, max(before - units, 0))

    def _expired(self, happened: Happened) -> Played:
        (number,) = {leg.currency_no for leg in happened.transfer.legs}
        facts = self._facts(happened, {number: 0})
        account, now = facts.accounts[number], happened.transfer.occurred_at
        promoted = facts.bonuses = BonusFacts(Budgets({}))
        ended_lots = {ended.lot_id: ended for ended in happened.ended}
        births: dict[UUID | None, Happened] = {}
        for ended in happened.ended:
            birth, price = ended.birth, ended.price_micros
            if birth is not None and birth.decided_at >= self._since:
                try:
                    price = self.play(birth).lot_prices.get(number, price)
                except (DroppedOut, Refusal):
                    continue
                births[birth.transfer.transfer_id] = birth
                if ended.promotion_no is not None:
                    continue
            elif ended.promotion_no is not None:
                promoted.promotion_of[ended.lot_id] = ended.promotion_no
            account.show(Lot(ended.lot_id, ended.units, ended.funder_no, price, now, None), now)
            account.note_due(ended.lot_id)
        for birth in births.values():
            for gift, units in self._giving.end(birth, ended_lots):
                promoted.promotion_of[gift.lot.lot_id] = gift.promotion.number
                account.show(gift.lot._replace(remaining=units), now)
                account.note_due(gift.lot.lot_id)
        if not account.due:
            raise DroppedOut
        return outcome(decide(Expire(**self._asked(happened, number, 0)), facts, self._coalition))

    def _decided(self, command: Command, happened: Happened, holding: dict[int, int]) -> Played:
        return outcome(decide(command, self._facts(happened, holding), self._coalition))

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
            facts.notes.daily_used.update(self._used.get(transfer.member_id, {}))
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
