"""The conversion most examples speak of: a bank's points into an airline's, 30 to 1."""

from __future__ import annotations

from exchange.conversion.rules import convert as rule
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Account, Posting, Side
from exchange.rates.model import Coalition, Rate
from tests.unit.rules.rulebook import coalition, convert, member, rate

BNK_TO_AIR = ("30 BNK", "1 AIR")


def bank_to_airline(
    points: str, at: Rate | None = None, *, facts: MemberFacts | None = None, world: Coalition | None = None
) -> Posting:
    """The bank asks to turn a member's points into the airline's, 30:1 unless a rate is given."""
    world = world or coalition(at or rate(*BNK_TO_AIR))
    return rule(convert(points, "AIR", by="BNK"), facts or member(BNK=10**9), world)


def used_and_received(posting: Posting) -> tuple[int, int]:
    """Points taken from the member and points given."""
    mine = [leg for leg in posting.legs if leg.account == Account.MEMBER]
    used = sum(leg.units for leg in mine if leg.side == Side.DEBIT)
    return used, sum(leg.units for leg in mine if leg.side == Side.CREDIT)
