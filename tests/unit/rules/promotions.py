"""Promotions for examples, and a member's day under them: budgets and caps as a batch would have read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from exchange.ledger.bonuses import BonusFacts, Budgets, GivenBonus
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Account, Command, Side, Transfer
from exchange.promotions.model import Promotion, PromotionKind, Promotions, Sponsor
from exchange.rates.model import Coalition
from tests.unit.rules.days import Day
from tests.unit.rules.rulebook import CURRENCY_NO, LONG_AGO, MERCHANT_NO, coalition, member, rate

K1_SPONSORS = {"BNK": 7_000, "CAF": 3_000}


def promotion(
    what: str,
    *,
    at: str | None = None,
    number: int = 1,
    bps: int = 0,
    units: int = 0,
    cap: int = 0,
    budget: int = 0,
    sponsors: Mapping[str, int] | None = None,
    begins: datetime = LONG_AGO,
    ends: datetime | None = None,
) -> Promotion:
    """`promotion("AIR", at="CAF", bps=10_000)` on awards; `promotion("BNK>TEL", units=5)` on conversions."""
    source, _, target = what.rpartition(">")
    paid = sorted((K1_SPONSORS if sponsors is None else sponsors).items())
    return Promotion(
        number,
        f"K{number}",
        PromotionKind.CONVERSION_BONUS if source else PromotionKind.EARN_BONUS,
        MERCHANT_NO[at] if at else None,
        CURRENCY_NO[source] if source else None,
        CURRENCY_NO[target],
        bps,
        units,
        cap,
        budget,
        begins,
        ends,
        LONG_AGO,
        [Sponsor(MERCHANT_NO[merchant], share) for merchant, share in paid],
    )


BANK_TO_TELCO = rate("10 BNK", "1 TEL")
K1 = promotion("AIR", at="CAF", bps=10_000, cap=2_000, budget=5_000)


def promoting(*promotions: Promotion, world: Coalition | None = None) -> Coalition:
    """A coalition with these promotions."""
    return replace(world or coalition(), promotions=Promotions.of(promotions))


def replaced(one: Promotion, *, begins: datetime, ends: datetime) -> Promotion:
    """The promotion at other times."""
    return one._replace(effective_at=begins, ends_at=ends)


class PromotedDay(Day):
    """A member's day; every promotion's budget is locked, with so much used of it as `used` says."""

    def __init__(
        self, world: Coalition, facts: MemberFacts | None = None, used: Mapping[int, int] | None = None
    ) -> None:
        super().__init__(world, facts or member())
        numbers = world.promotions.by_number
        budgets = Budgets({number: (used or {}).get(number, 0) for number, one in numbers.items() if one.budget_units})
        caps = {number: 0 for number, one in numbers.items() if one.member_cap_units}
        self.bonuses = self.facts.bonuses = BonusFacts(budgets, caps)

    def do(self, command: Command) -> Transfer:
        """As in any day; what was given may be taken back afterwards."""
        noted = len(self.bonuses.entries)
        transfer = super().do(command)
        given = [bonus for _, bonus in self.bonuses.entries[noted:] if not bonus.returned]
        for bonus in given:
            assert bonus.lot_id is not None
            self.bonuses.promotion_of[bonus.lot_id] = bonus.promotion_no
        if given:
            assert transfer.transfer_id is not None
            self.bonuses.given[transfer.transfer_id] = [
                GivenBonus(bonus.promotion_no, bonus.lot_id, bonus.units, 0)  # type: ignore[arg-type]  # it has one
                for bonus in given
            ]
        return transfer

    def gave(self) -> list[tuple[int, int]]:
        """Promotion and points of each bonus; below zero what was taken back."""
        entries = [bonus for _, bonus in self.bonuses.entries]
        return [(bonus.promotion_no, -bonus.units if bonus.returned else bonus.units) for bonus in entries]


def lots_made(transfer: Transfer) -> list[int]:
    """Points of each lot a transfer made."""
    return [leg.units for leg in transfer.legs if leg.account == Account.MEMBER and leg.side == Side.CREDIT]
