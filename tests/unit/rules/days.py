"""One member's movements one after the other, each decided by its rule from what those before it left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from exchange.cashout.model import CashOut
from exchange.directory.model import Currency, EarnRule
from exchange.earning.model import Earn
from exchange.expiry.model import Expire
from exchange.holds.model import Capture, Hold, Release
from exchange.ledger.facts import MemberFacts, apply
from exchange.ledger.ids import new_id
from exchange.ledger.member_account import spending_order
from exchange.ledger.model import Account, Command, Obligation, ObligationKind, Side, Transfer
from exchange.movements import RULES
from exchange.rates.model import Coalition
from exchange.reversal.model import Retained, Reverse
from tests.unit.rules.rulebook import (
    ADA,
    CURRENCY_NO,
    MERCHANT_NO,
    MERCHANT_OF,
    _common,
    coalition,
    currency,
    member,
)

HOUR = timedelta(hours=1)


class Day:
    """A member and what happens to its points.

    Attributes:
        world: the coalition; it may be another one after a change of prices or roles.
        facts: the member's accounts as they stand.
    """

    def __init__(self, world: Coalition | None = None, facts: MemberFacts | None = None) -> None:
        self.world = world or coalition()
        self.facts = facts or member()

    def do(self, command: Command) -> Transfer:
        """Decide and carry out, or raise the refusal with everything as it was."""
        facts = self.facts
        if isinstance(command, Expire):
            account = facts.accounts[CURRENCY_NO[command.currency]]
            ended = [
                lot for lot in account.known.values() if lot.expires_at is not None and lot.expires_at <= facts.now
            ]
            account.due = [lot.lot_id for lot in sorted(ended, key=spending_order) if lot.remaining]
        posting = RULES[type(command)](command, facts, self.world)
        transfer_id = new_id()
        born = {lot.currency_no: new_id() for lot in posting.new_lots}
        posting.bonuses = [one if one.returned else one._replace(lot_id=new_id()) for one in posting.bonuses]
        legs = apply(posting, facts, transfer_id, born)
        transfer = Transfer(
            facts.bucket, transfer_id, posting.kind or command.kind, command.merchant_no, facts.member_id,
            command.request_id, None, facts.now, 0, 1, posting.rate_id, legs, posting.obligations, posting.original_id,
            None, posting.frozen_price_micros, *(posting.spend or (None, None, None)),
        )  # fmt: skip
        facts.notes.originals[transfer_id] = transfer
        return transfer

    def pass_time(self, time: timedelta) -> None:
        """Later: what has ended meanwhile is spendable no longer."""
        self.facts.now += time
        today = self.facts.now.astimezone(self.world.time_zone).date()
        if today != self.facts.today:
            self.facts.today = today
            self.facts.notes.daily_used.clear()
        for account in self.facts.accounts.values():
            account.lots = [one for one in account.lots if one.expires_at is None or one.expires_at > self.facts.now]

    def lots(self, code: str = "TEL") -> list[tuple[int, int]]:
        """Points left and held of each lot, in the order in which they would be spent if none had ended."""
        known = self.facts.accounts[CURRENCY_NO[code]].known.values()
        return [(lot.remaining, lot.held) for lot in sorted(known, key=spending_order)]

    def balance(self, code: str = "TEL") -> tuple[int, int, int]:
        """Available, held and owed points."""
        account = self.facts.accounts[CURRENCY_NO[code]]
        return account.available, account.held, account.overdrawn


# ------------------------------------------------------------------------------------------------ commands
def _following(original: Transfer) -> dict[str, object]:
    common = _common("1 TEL", MERCHANT_OF[original.merchant_no], None, ADA, trial=False)
    kept = {key: common[key] for key in ("merchant_no", "credential", "request_id", "fingerprint")}
    return {**kept, "original": original.transfer_id}


def hold(points: str, at: str = "CAF", lifetime: timedelta = HOUR, *, member_id: UUID = ADA) -> Hold:
    """`hold("500 TEL")`, for an hour."""
    return Hold(**_common(points, at, None, member_id, trial=False), lifetime=lifetime)  # type: ignore[arg-type]


def capture(held: Transfer, units: int | None = None) -> Capture:
    """Take what the hold reserved; left out: all."""
    return Capture(**_following(held), units=units)  # type: ignore[arg-type]


def release(held: Transfer, *, lapsed: bool = False) -> Release:
    """Give back what the hold reserved."""
    return Release(**_following(held), lapsed=lapsed)  # type: ignore[arg-type]


def reverse(original: Transfer, units: int | None = None, *, keep: tuple[int, int] | None = None) -> Reverse:
    """Mirror a transfer: so many points, or so that the member keeps a share, or all that is left."""
    retained = None if keep is None else Retained(*keep)
    return Reverse(**_following(original), units=units, retained=retained)  # type: ignore[arg-type]


def expire(code: str = "TEL", *, member_id: UUID = ADA) -> Expire:
    """End what has reached its end."""
    return Expire(**_common(f"0 {code}", code, None, member_id, trial=False))  # type: ignore[arg-type]


def cash_out(points: str, at: str = "BNK") -> CashOut:
    """Pay points out in money."""
    return CashOut(**_common(points, at, None, ADA, trial=False))  # type: ignore[arg-type]


def spend(minor_units: int, rule: str, at: str = "CAF", *, member_id: UUID = ADA) -> Earn:
    """Award points by what was spent."""
    common = _common("0 TEL", at, None, member_id, trial=False)
    return Earn(**common, spend_rule=rule, spend_minor=minor_units)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ the coalition
def terms(one: Currency, *, breakage: int = 0, negative: bool = False) -> Currency:
    """The currency with a share for funders of points that end unused, or one that lets members owe points."""
    return replace(one, breakage_share_bps=breakage, negative_balances=negative)


def owing(code: str = "TEL") -> Coalition:
    """A coalition in which members may owe points of that currency."""
    return coalition(currencies=[terms(currency(code), negative=True)])


def with_earn_rules(world: Coalition, *rules: EarnRule) -> Coalition:
    """The coalition with earn rules."""
    return replace(world, directory=replace(world.directory, earn_rules={rule.rule_id: rule for rule in rules}))


def earn_rule(rule_id: str, per: int, *, points: int = 1, carry: bool = True, at: str = "CAF") -> EarnRule:
    """So many TEL for each full so much."""
    return EarnRule(rule_id, MERCHANT_NO[at], CURRENCY_NO["TEL"], per, points, carry)


# ------------------------------------------------------------------------------------------------ what came of it
def owed(transfer: Transfer) -> list[tuple[str, str, str, int]]:
    """Who owes whom, why, how many micro-yuan."""
    return [_owed(one) for one in transfer.obligations]


def _owed(one: Obligation) -> tuple[str, str, str, int]:
    return MERCHANT_OF[one.debtor_no], MERCHANT_OF[one.creditor_no], ObligationKind(one.kind).name, one.micros


def mirrored(transfer: Transfer) -> list[tuple[str, str, str, int]]:
    """What a transfer leaves owing, the other way round."""
    return [(creditor, debtor, "REVERSAL", micros) for debtor, creditor, _, micros in owed(transfer)]


def legs(transfer: Transfer) -> list[tuple[str, str, int]]:
    """Account, side and points of each leg."""
    return [(Account(leg.account).name, Side(leg.side).name, leg.units) for leg in transfer.legs]
