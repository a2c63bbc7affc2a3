"""Points taken for goods, as cash and in a campaign: one movement three ways, so every example is tried with each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from exchange.campaign.rules import use_in_campaign as campaign_rule
from exchange.directory.model import MerchantRole
from exchange.discount.rules import discount as discount_rule
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Account, Command, Posting, Side
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition
from exchange.redemption.rules import redeem as redeem_rule
from exchange.refusals import (
    AmountOverflow,
    CurrencySuspended,
    InsufficientPoints,
    MerchantSuspended,
    NoPrice,
    ResourceNotFound,
    RoleMissing,
)
from tests.unit.rules.rulebook import (
    ALL_ROLES,
    CURRENCY_NO,
    NOON,
    SECOND,
    campaign,
    coalition,
    currency,
    debts,
    discount,
    lot,
    member,
    price,
    redeem,
)


class Way(NamedTuple):
    """One of the ways to spend."""

    rule: Callable[[Any, MemberFacts, Coalition], Posting]
    command: Callable[..., Command]
    role: MerchantRole

    def take(self, points: str, at: str, facts: MemberFacts, world: Coalition | None = None) -> Posting:
        """What the rule decides."""
        return self.rule(self.command(points, at), facts, world or coalition())


WAYS = {
    "for goods": Way(redeem_rule, redeem, MerchantRole.REDEMPTION),
    "as cash": Way(discount_rule, discount, MerchantRole.DISCOUNT),
    "in a campaign": Way(campaign_rule, campaign, MerchantRole.REDEMPTION),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def taken(posting: Posting) -> list[int]:
    """How much of each lot, in the order of taking."""
    return [leg.units for leg in posting.legs if leg.account == Account.MEMBER and leg.side == Side.DEBIT]


@pytest.mark.parametrize(
    ("way", "points", "at", "debt"),
    [
        ("for goods", "50 000 TEL", "CAF", ("TEL", "CAF", "REDEEM", 500_000_000)),
        ("for goods", "4 000 AIR", "TEL", ("AIR", "TEL", "REDEEM", 200_000_000)),
        ("as cash", "300 000 BNK", "GRO", ("BNK", "GRO", "DISCOUNT", 600_000_000)),
        ("as cash", "12 345 TEL", "GRO", ("TEL", "GRO", "DISCOUNT", 123_450_000)),
        ("in a campaign", "50 TEL", "CAF", ("TEL", "CAF", "CAMPAIGN", 500_000)),
    ],
)
def test_the_issuer_owes_the_acceptor_the_redeem_price(
    way: str, points: str, at: str, debt: tuple[str, str, str, int]
) -> None:
    """Period A of the rulebook: 50 000, 20 000, 60 000 and 12 345 fen; a campaign use is owed as a redemption is."""
    ada = member(AIR=10**6, BNK=10**6, TEL=10**6)

    posting = WAYS[way].take(points, at, ada)

    assert debts(posting) == [debt]


@every_way
def test_an_issuer_that_takes_its_own_points_owes_nobody(way: Way) -> None:
    """Period A: the airline takes 20 000 of its own."""
    posting = way.take("20 000 AIR", "AIR", member(AIR=20_000))

    assert posting.obligations == []
    assert taken(posting) == [20_000]


@every_way
def test_the_lot_that_ends_first_is_spent_first(way: Way) -> None:
    """Period B: of 600 (June), 900 (March) and 500 (June, newer), 1 000 take the 900 and 100 of the 600."""
    june, march = datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    l1 = lot(600, funder="GRO", expires=june, earned=datetime(2026, 1, 5, tzinfo=UTC))
    l2 = lot(900, funder="CAF", expires=march, earned=datetime(2026, 1, 6, tzinfo=UTC))
    l3 = lot(500, funder="TEL", expires=june, earned=datetime(2026, 1, 7, tzinfo=UTC))

    posting = way.take("1 000 TEL", "BNK", member(datetime(2026, 2, 10, tzinfo=UTC), TEL=[l1, l2, l3]))

    of_lots = [(leg.lot_id, leg.units) for leg in posting.legs if leg.account == Account.MEMBER]
    assert of_lots == [(l2.lot_id, 900), (l1.lot_id, 100)]
    assert [debt[:2] + debt[3:] for debt in debts(posting)] == [("TEL", "BNK", 10_000_000)]


@every_way
def test_what_a_member_gives_returns_to_circulation(way: Way) -> None:
    """Several lots give, circulation takes all of it in one leg."""
    posting = way.take("7 TEL", "CAF", member(TEL=[lot(3), lot(5)]))

    *given, returned = posting.legs
    assert [leg.units for leg in given] == [3, 4]
    assert (returned.account, returned.side, returned.units) == (Account.CIRCULATION, Side.CREDIT, 7)
    assert {leg.currency_no for leg in posting.legs} == {CURRENCY_NO["TEL"]}


@every_way
def test_all_of_it_can_be_spent_and_not_one_point_more(way: Way) -> None:
    """The refusal tells what there is and what was asked."""
    ada = member(TEL=[lot(3), lot(5)])

    assert taken(way.take("8 TEL", "CAF", ada)) == [3, 5]
    with pytest.raises(InsufficientPoints) as caught:
        way.take("9 TEL", "CAF", ada)
    assert caught.value.data == {"currency": "currencies/TEL", "available": "8", "requested": "9"}


@every_way
def test_a_member_without_points_has_none_of_them_taken(way: Way) -> None:
    """Points of another currency are no help."""
    with pytest.raises(InsufficientPoints) as caught:
        way.take("1 TEL", "CAF", member(AIR=500))

    assert caught.value.data["available"] == "0"


@every_way
def test_deciding_changes_nothing(way: Way) -> None:
    """The same facts give the same answer again: a rule looks and does not touch."""
    ada = member(TEL=8)

    first, second = way.take("8 TEL", "CAF", ada), way.take("8 TEL", "CAF", ada)

    assert (first.legs, first.obligations) == (second.legs, second.obligations)
    assert ada.accounts[CURRENCY_NO["TEL"]].available == 8


@every_way
def test_the_other_role_does_not_help(way: Way) -> None:
    """A merchant with every role but the one asked for is told which one it lacks."""
    world = coalition(roles={"CAF": ALL_ROLES - {way.role}})

    with pytest.raises(RoleMissing) as caught:
        way.take("1 TEL", "CAF", member(TEL=8), world)

    assert caught.value.data == {"merchant": "merchants/CAF", "role": way.role.name}


@every_way
@pytest.mark.parametrize("who", ["CAF", "TEL"])
def test_neither_a_suspended_acceptor_nor_a_suspended_issuer_moves_points(way: Way, who: str) -> None:
    """Its debts would never be paid."""
    with pytest.raises(MerchantSuspended) as caught:
        way.take("1 TEL", "CAF", member(TEL=8), coalition(suspended=[who]))

    assert caught.value.data == {"merchant": f"merchants/{who}"}


@every_way
def test_a_suspended_currency_does_not_move(way: Way) -> None:
    """Whoever takes it."""
    with pytest.raises(CurrencySuspended):
        way.take("1 TEL", "CAF", member(TEL=8), coalition(currencies=[currency("TEL", suspended=True)]))


@every_way
def test_points_nobody_issues_cannot_be_spent(way: Way) -> None:
    """The refusal names the field of the request."""
    with pytest.raises(ResourceNotFound) as caught:
        way.take("1 NIX", "CAF", member())

    assert caught.value.data["field"] == "points.currency"


@every_way
def test_points_without_a_price_are_not_taken(way: Way) -> None:
    """Nobody would know what is owed for them."""
    world = coalition(currencies=[currency("TEL", price(redeem=1, since=NOON + SECOND))])

    with pytest.raises(NoPrice):
        way.take("1 TEL", "CAF", member(TEL=8), world)


@every_way
def test_a_debt_fills_64_bits_and_no_more(way: Way) -> None:
    """The points are there, the money would not fit: refused, not wrapped."""
    half = (INT64_MAX - 1) // 2
    world = coalition(currencies=[currency("TEL", price(redeem=2))])
    rich = member(TEL=INT64_MAX)

    assert way.take(f"{half} TEL", "CAF", rich, world).obligations[0].micros == INT64_MAX - 1
    with pytest.raises(AmountOverflow):
        way.take(f"{half + 1} TEL", "CAF", rich, world)
