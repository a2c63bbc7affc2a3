"""Awarding points: what lot is made, who owes the issuer, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from exchange.directory.model import MerchantRole
from exchange.earning.rules import earn as rule
from exchange.ledger.model import Account, Posting, Side
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition
from exchange.refusals import (
    AmountOverflow,
    CurrencySuspended,
    ExpiryNotAllowed,
    MerchantSuspended,
    NoPrice,
    ResourceNotFound,
    RoleMissing,
)
from tests.unit.rules.rulebook import (
    ALL_ROLES,
    CURRENCY_NO,
    MERCHANT_NO,
    NOON,
    SECOND,
    coalition,
    currency,
    debts,
    earn,
    issued_by,
    member,
    price,
    some_price,
    with_prices,
)


def award(points: str, at: str, world: Coalition | None = None, *, expires: datetime | None = None) -> Posting:
    """What the rule decides for a member without points."""
    return rule(earn(points, at, expires=expires), member(), world or coalition())


@pytest.mark.parametrize(
    ("points", "at", "issuer", "micros"),
    [("120 000 TEL", "GRO", "TEL", 1_440_000_000), ("8 350 AIR", "CAF", "AIR", 501_000_000)],
)
def test_the_earning_merchant_owes_the_issuer_the_issue_price(points: str, at: str, issuer: str, micros: int) -> None:
    """Period A of the rulebook: 144 000 and 50 100 fen."""
    posting = award(points, at)

    assert debts(posting) == [(at, issuer, "EARN", micros)]


def test_nobody_owes_himself_for_his_own_points() -> None:
    """Period A: the bank awards 900 000 of its own points and owes nothing."""
    posting = award("900 000 BNK", at="BNK")

    assert posting.obligations == []
    assert posting.new_lots[0].units == 900_000


def test_the_lot_remembers_who_paid_for_it_and_at_what_price() -> None:
    """Funder and issue price stay with the points: expiry and reversal come back to them."""
    posting = award("500 TEL", at="GRO")

    (lot,) = posting.new_lots
    assert (lot.units, lot.currency_no, lot.funder_no) == (500, CURRENCY_NO["TEL"], MERCHANT_NO["GRO"])
    assert (lot.price_micros, lot.expires_at) == (12_000, None)


def test_points_come_out_of_circulation_into_the_members_lot() -> None:
    """Two legs of the same amount: nothing appears from nowhere."""
    posting = award("500 TEL", at="GRO")

    circulation, mine = posting.legs
    assert (circulation.account, circulation.side) == (Account.CIRCULATION, Side.DEBIT)
    assert (mine.account, mine.side) == (Account.MEMBER, Side.CREDIT)
    assert circulation.units == mine.units == 500


def test_points_that_end_after_days_are_counted_from_the_award() -> None:
    """A policy of 365 days: to the second, not to the end of the day."""
    posting = award("5 TEL", "GRO", coalition(currencies=[currency("TEL", days=365)]))

    assert posting.new_lots[0].expires_at == NOON + timedelta(days=365)


def test_an_award_may_say_when_its_points_end_where_the_policy_asks_for_it() -> None:
    """And need not: then they never end."""
    world = coalition(currencies=[currency("TEL", explicit=True)])

    assert award("5 TEL", "GRO", world, expires=NOON + SECOND).new_lots[0].expires_at == NOON + SECOND
    assert award("5 TEL", "GRO", world).new_lots[0].expires_at is None


@pytest.mark.parametrize("expires", [NOON, NOON - SECOND])
def test_points_that_would_be_dead_at_birth_are_not_made(expires: datetime) -> None:
    """Expiry is exclusive: at its very instant a lot cannot be spent any more."""
    world = coalition(currencies=[currency("TEL", explicit=True)])

    with pytest.raises(ExpiryNotAllowed):
        award("5 TEL", "GRO", world, expires=expires)


@pytest.mark.parametrize("days", [0, 365])
def test_an_award_does_not_overrule_the_currencys_policy(days: int) -> None:
    """Neither a currency without expiry nor one with a fixed term takes a date."""
    world = coalition(currencies=[currency("TEL", days=days)])

    with pytest.raises(ExpiryNotAllowed):
        award("5 TEL", "GRO", world, expires=NOON + SECOND)


def test_a_price_holds_from_its_very_instant() -> None:
    """What was awarded a second earlier costs what it cost then."""
    world = coalition(
        currencies=[with_prices("TEL", some_price("TEL", issue=10), price(issue=20, since=NOON))],
    )

    before = rule(earn("3 TEL", "GRO"), member(NOON - SECOND), world)
    at_once = rule(earn("3 TEL", "GRO"), member(NOON), world)

    assert [posting.obligations[0].micros for posting in (before, at_once)] == [30, 60]


def test_points_without_a_price_are_not_awarded() -> None:
    """The first price begins a second from now."""
    world = coalition(currencies=[currency("TEL", price(issue=1, since=NOON + SECOND))])

    with pytest.raises(NoPrice):
        award("5 TEL", "GRO", world)


def test_points_that_cost_nothing_leave_nothing_owing() -> None:
    """A debt of nothing is no debt."""
    posting = award("5 TEL", "GRO", coalition(currencies=[currency("TEL", price(redeem=10))]))

    assert posting.obligations == []


def test_the_issuer_may_let_others_award_what_another_merchant_issues() -> None:
    """Who is owed follows from who issues, not from the currency's name."""
    posting = award("5 TEL", "GRO", coalition(currencies=[issued_by("CAF", currency("TEL"))]))

    assert debts(posting) == [("GRO", "CAF", "EARN", 60_000)]


REFUSED: list[tuple[str, Callable[[], Coalition], type[Exception], dict[str, str]]] = [
    (
        "no earning merchant",
        lambda: coalition(roles={"GRO": ALL_ROLES - {MerchantRole.EARNING}}),
        RoleMissing,
        {"merchant": "merchants/GRO", "role": "EARNING"},
    ),
    (
        "suspended",
        lambda: coalition(suspended=["GRO"]),
        MerchantSuspended,
        {"merchant": "merchants/GRO"},
    ),
    (
        "issuer suspended",
        lambda: coalition(suspended=["TEL"]),
        MerchantSuspended,
        {"merchant": "merchants/TEL"},
    ),
    (
        "currency suspended",
        lambda: coalition(currencies=[currency("TEL", suspended=True)]),
        CurrencySuspended,
        {"currency": "currencies/TEL"},
    ),
]


@pytest.mark.parametrize(("world", "refusal", "data"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_award_is_refused_naming_what_stands_against_it(
    world: Callable[[], Coalition], refusal: type[Exception], data: dict[str, str]
) -> None:
    """Roles and suspensions of the merchant, the issuer and the currency."""
    with pytest.raises(refusal) as caught:
        award("5 TEL", "GRO", world())

    assert caught.value.data == data  # type: ignore[attr-defined]


def test_points_nobody_issues_are_not_found() -> None:
    """The refusal names the field of the request."""
    with pytest.raises(ResourceNotFound) as caught:
        award("5 NIX", "GRO")

    assert caught.value.data == {"resource": "currencies/NIX", "field": "points.currency"}


def test_a_balance_fills_64_bits_and_no_more() -> None:
    """The last point that fits is awarded, the next is refused: never wrapped."""
    world = coalition(currencies=[currency("TEL", price(redeem=1))])
    nearly_full = member(TEL=INT64_MAX - 5)

    assert rule(earn("5 TEL", "GRO"), nearly_full, world).new_lots[0].units == 5
    with pytest.raises(AmountOverflow):
        rule(earn("6 TEL", "GRO"), nearly_full, world)


def test_a_debt_fills_64_bits_and_no_more() -> None:
    """Points times price is checked where it arises."""
    half = (INT64_MAX - 1) // 2
    world = coalition(currencies=[currency("TEL", price(issue=2))])

    assert award(f"{half} TEL", "GRO", world).obligations[0].micros == INT64_MAX - 1
    with pytest.raises(AmountOverflow):
        award(f"{half + 1} TEL", "GRO", world)
