"""Cash-out: points burnt, and the issuer owes the paying agent their value and a handling fee."""

from __future__ import annotations

import pytest

from exchange.directory.model import MerchantRole
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition
from exchange.refusals import (
    AmountOverflow,
    CurrencySuspended,
    InsufficientPoints,
    MerchantSuspended,
    NoCashOut,
    NoPrice,
    Refusal,
    ResourceNotFound,
    RoleMissing,
)
from tests.unit.rules.days import Day, cash_out, legs, owed
from tests.unit.rules.rulebook import ALL_ROLES, NOON, SECOND, coalition, currency, lot, member, price


def paying(value: int = 600_000, fee: int = 200, **terms: object) -> Coalition:
    """A coalition in which TEL is paid out, by BNK."""
    paid_out = currency("TEL", price(cash_out=value, cash_out_fee=fee))
    return coalition(**{"currencies": [paid_out], "cash_agents": ["BNK"], **terms})  # type: ignore[arg-type]


def test_the_rulebooks_cash_out() -> None:
    """75 points at 600 000 are ¥45.00 for the member, and 2 % of that are ¥0.90 for the agent's trouble."""
    day = Day(paying(), member(TEL=[lot(50), lot(50)]))

    paid = day.do(cash_out("75 TEL"))

    assert legs(paid) == [("MEMBER", "DEBIT", 50), ("MEMBER", "DEBIT", 25), ("CIRCULATION", "CREDIT", 75)]
    assert owed(paid) == [("TEL", "BNK", "CASH_OUT", 45_000_000), ("TEL", "BNK", "CASH_OUT_FEE", 900_000)]
    assert day.balance() == (25, 0, 0)


@pytest.mark.parametrize(("value", "fee", "micros"), [(25, 200, 1), (24, 200, 0), (75, 200, 2), (10_000, 1, 1)])
def test_the_fee_is_rounded_half_up_to_the_micro_unit(value: int, fee: int, micros: int) -> None:
    """Half a micro-unit is one; less is none, and then there is no such debt."""
    day = Day(paying(value, fee), member(TEL=1))

    assert sum(one[3] for one in owed(day.do(cash_out("1 TEL"))) if one[2] == "CASH_OUT_FEE") == micros


def test_an_issuer_that_pays_its_own_points_out_owes_nobody() -> None:
    """Neither value nor fee."""
    day = Day(paying(cash_agents=["TEL"]), member(TEL=8))

    assert owed(day.do(cash_out("8 TEL", at="TEL"))) == []


def test_a_currency_without_a_cash_out_price_is_not_paid_out() -> None:
    """Zero is the word for that."""
    with pytest.raises(NoCashOut) as caught:
        Day(paying(0), member(TEL=8)).do(cash_out("8 TEL"))

    assert caught.value.data == {"currency": "currencies/TEL"}


@pytest.mark.parametrize(
    ("terms", "role"),
    [({"cash_agents": []}, "CASH_AGENT"), ({"roles": {"BNK": ALL_ROLES - {MerchantRole.REDEMPTION}}}, "REDEMPTION")],
    ids=["no cash agent", "no redemption merchant"],
)
def test_only_a_redeeming_cash_agent_pays_out(terms: dict[str, object], role: str) -> None:
    """It is told which of the two it lacks."""
    with pytest.raises(RoleMissing) as caught:
        Day(paying(**terms), member(TEL=8)).do(cash_out("8 TEL"))  # type: ignore[arg-type]

    assert caught.value.data == {"merchant": "merchants/BNK", "role": role}


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"suspended": ["BNK"]}, MerchantSuspended),
        ({"suspended": ["TEL"]}, MerchantSuspended),
        ({"currencies": [currency("TEL", suspended=True)]}, CurrencySuspended),
        ({"currencies": [currency("TEL", price(cash_out=1, since=NOON + SECOND))]}, NoPrice),
    ],
    ids=["agent", "issuer", "currency", "no price yet"],
)
def test_nothing_is_paid_out_that_could_not_be_redeemed(terms: dict[str, object], refusal: type[Refusal]) -> None:
    """The parties, the currency and its price are looked at as for any movement."""
    with pytest.raises(refusal):
        Day(paying(**terms), member(TEL=8)).do(cash_out("8 TEL"))  # type: ignore[arg-type]


def test_no_more_is_paid_out_than_is_there() -> None:
    """Nor points nobody issues."""
    day = Day(paying(), member(TEL=8))

    with pytest.raises(InsufficientPoints):
        day.do(cash_out("9 TEL"))
    with pytest.raises(ResourceNotFound):
        day.do(cash_out("9 NIX"))


def test_a_value_that_64_bits_do_not_hold_is_refused() -> None:
    """The value by itself, and the fee by itself."""
    half = INT64_MAX // 2 + 1

    with pytest.raises(AmountOverflow):
        Day(paying(2, 0), member(TEL=INT64_MAX)).do(cash_out(f"{half} TEL"))
    assert owed(Day(paying(1, 10_000), member(TEL=INT64_MAX)).do(cash_out(f"{INT64_MAX} TEL")))[1][3] == INT64_MAX
