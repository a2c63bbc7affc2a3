"""Converting one currency into another: what is used, what comes of it, who owes whom, and the rate's bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.conversion.rules import convert as rule
from exchange.ledger.model import Account, Side
from exchange.refusals import (
    NegativeSpread,
    NotTheIssuer,
)
from tests.unit.rules.conversions import BNK_TO_AIR, bank_to_airline, used_and_received
from tests.unit.rules.rulebook import (
    CURRENCY_NO,
    MERCHANT_NO,
    NOON,
    SECOND,
    coalition,
    convert,
    currency,
    debts,
    issued_by,
    lot,
    member,
    price,
    rate,
    some_price,
)

DAY = timedelta(days=1)


def test_the_rulebooks_example() -> None:
    """100 000 BNK at 30:1, blocks of 3 000: 99 000 used, 3 300 AIR; AIR is owed 181.50 yuan, the operator 16.50."""
    posting = bank_to_airline("100 000 BNK", rate(*BNK_TO_AIR, block=3_000))

    assert used_and_received(posting) == (99_000, 3_300)
    assert debts(posting) == [
        ("BNK", "AIR", "CONVERSION", 181_500_000),
        ("BNK", "OPR", "SPREAD", 16_500_000),
    ]


def test_each_currency_balances_by_itself() -> None:
    """What leaves the member's lots returns to circulation; what the member gets comes out of it."""
    posting = bank_to_airline("60 BNK", facts=member(BNK=[lot(25), lot(75)]))

    moved = [(leg.account, leg.side, leg.currency_no, leg.units) for leg in posting.legs]
    bnk, air = CURRENCY_NO["BNK"], CURRENCY_NO["AIR"]
    assert moved == [
        (Account.MEMBER, Side.DEBIT, bnk, 25),
        (Account.MEMBER, Side.DEBIT, bnk, 35),
        (Account.CIRCULATION, Side.CREDIT, bnk, 60),
        (Account.CIRCULATION, Side.DEBIT, air, 2),
        (Account.MEMBER, Side.CREDIT, air, 2),
    ]


def test_the_new_lot_is_funded_by_the_source_at_the_conversion_price() -> None:
    """And ends by the target currency's policy, counted from the conversion."""
    one_year = currency("AIR", days=365)

    posting = bank_to_airline("60 BNK", world=coalition(rate(*BNK_TO_AIR), currencies=[one_year]))

    (new,) = posting.new_lots
    assert (new.currency_no, new.units, new.funder_no) == (CURRENCY_NO["AIR"], 2, MERCHANT_NO["BNK"])
    assert (new.price_micros, new.expires_at) == (55_000, NOON + timedelta(days=365))


def test_a_posting_names_the_rate_it_was_decided_by() -> None:
    """Years later one can still tell why 60 became 2."""
    agreed = rate(*BNK_TO_AIR)

    assert bank_to_airline("60 BNK", agreed).rate_id == agreed.rate_id


@pytest.mark.parametrize(
    ("points", "used", "received"),
    [("30 BNK", 30, 1), ("59 BNK", 30, 1), ("60 BNK", 60, 2), ("89 BNK", 60, 2)],
)
def test_what_the_ratio_does_not_need_stays_with_the_member(points: str, used: int, received: int) -> None:
    """Nobody pays for a fraction he does not get."""
    assert used_and_received(bank_to_airline(points)) == (used, received)


@pytest.mark.parametrize(("points", "used", "received"), [("7 BNK", 6, 4), ("8 BNK", 8, 5), ("9 BNK", 9, 6)])
def test_uneven_ratios_round_the_target_down_and_the_source_up(points: str, used: int, received: int) -> None:
    """3:2, where both roundings show: 5 AIR need 7.5, so 8 are used."""
    cheap = currency("AIR", price(into=1))

    posting = bank_to_airline(points, world=coalition(rate("3 BNK", "2 AIR"), currencies=[cheap]))

    assert used_and_received(posting) == (used, received)


def test_a_bonus_is_given_for_each_full_measure_used() -> None:
    """15 more for each 5 000 used: of 10 000 only 9 990 are used, so there is one bonus and not two."""
    agreed = rate("30 BNK", "1 AIR", bonus=(5_000, 15))

    received = [
        used_and_received(bank_to_airline(points, agreed)) for points in ("4 980 BNK", "9 999 BNK", "10 000 BNK")
    ]

    assert received == [(4_980, 166), (9_990, 333 + 15), (9_990, 333 + 15)]


def test_bonus_points_are_paid_for_like_the_others() -> None:
    """The target issuer is owed for every point it mints; what is left of the spread shrinks."""
    posting = bank_to_airline("9 000 BNK", rate(*BNK_TO_AIR, bonus=(9_000, 20)))

    assert debts(posting) == [
        ("BNK", "AIR", "CONVERSION", 320 * 55_000),
        ("BNK", "OPR", "SPREAD", 9_000 * 2_000 - 320 * 55_000),
    ]


@pytest.mark.parametrize(
    ("terms", "fee"),
    [
        ({"fee": 700}, 700),
        ({"fee_per_point": 3}, 180),
        ({"fee_per_point": 3, "fee_cap": 181}, 180),
        ({"fee_per_point": 3, "fee_cap": 100}, 100),
        ({"fee": 700, "fee_per_point": 3, "fee_cap": 100}, 800),
    ],
)
def test_the_source_issuer_owes_the_operator_the_fee(terms: dict[str, int], fee: int) -> None:
    """Per conversion, per point used (60 of the 89 asked for), and the cap on the latter alone."""
    posting = bank_to_airline("89 BNK", rate(*BNK_TO_AIR, **terms))  # type: ignore[arg-type]

    assert debts(posting)[-1] == ("BNK", "OPR", "FEE", fee)


def test_the_target_issuer_may_ask_for_a_conversion_too() -> None:
    """The obligations are the same whoever asks."""
    asked_by_the_airline = rule(convert("60 BNK", "AIR", by="AIR"), member(BNK=60), coalition(rate(*BNK_TO_AIR)))

    assert debts(asked_by_the_airline) == debts(bank_to_airline("60 BNK"))


def test_a_third_merchant_may_not_ask_for_a_conversion() -> None:
    """Whatever roles it holds."""
    with pytest.raises(NotTheIssuer):
        rule(convert("60 BNK", "AIR", by="TEL"), member(BNK=60), coalition(rate(*BNK_TO_AIR)))


def test_two_currencies_of_one_issuer_leave_only_the_spread_owing() -> None:
    """Nobody owes himself; the operator's part is due all the same."""
    world = coalition(rate(*BNK_TO_AIR), currencies=[issued_by("BNK", currency("AIR"))])

    assert debts(bank_to_airline("60 BNK", world=world)) == [("BNK", "OPR", "SPREAD", 60 * 2_000 - 2 * 55_000)]


def test_a_spread_of_nothing_is_no_debt() -> None:
    """Prices that meet exactly are allowed."""
    world = coalition(rate("1 BNK", "1 AIR"), currencies=[currency("AIR", price(into=2_000))])

    assert debts(bank_to_airline("5 BNK", world=world)) == [("BNK", "AIR", "CONVERSION", 10_000)]


def test_the_operator_never_pays_for_a_conversion() -> None:
    """Prices that moved since the rate was published refuse the conversion, to the last micro-yuan."""
    dear = currency("AIR", some_price("AIR", into=60_001))

    with pytest.raises(NegativeSpread) as caught:
        bank_to_airline("30 BNK", world=coalition(rate(*BNK_TO_AIR), currencies=[dear]))

    assert (caught.value.data["out_micros"], caught.value.data["in_micros"]) == ("60000", "60001")


TIERS = {
    "everybody": rate("30 BNK", "1 AIR"),
    "gold": rate("20 BNK", "1 AIR", tier="GOLD", begins=NOON, ends=NOON + DAY),
    "gold again": rate("15 BNK", "1 AIR", tier="GOLD", begins=NOON + DAY),
}


@pytest.mark.parametrize(
    ("tier", "after", "expected"),
    [
        ("", timedelta(), "everybody"),
        ("GOLD", timedelta(), "gold"),
        ("GOLD", -SECOND, "everybody"),
        ("GOLD", DAY - SECOND, "gold"),
        ("GOLD", DAY, "gold again"),
        ("SILVER", timedelta(), "everybody"),
        ("gold", timedelta(), "everybody"),
    ],
)
def test_the_version_for_exactly_the_tier_comes_before_the_one_for_everybody(
    tier: str, after: timedelta, expected: str
) -> None:
    """Whatever it gives; where it is not in force, everybody's holds for the tier too. Codes are told apart by case."""
    world = coalition(*TIERS.values())
    pair = (CURRENCY_NO["BNK"], CURRENCY_NO["AIR"])

    assert world.rate_at(pair, NOON + after, tier) == TIERS[expected]


def test_a_tiers_rate_is_not_everybodys() -> None:
    """Where there is no other, who has no tier converts nothing."""
    world = coalition(TIERS["gold again"])

    assert world.rate_at(TIERS["gold"].pair, NOON + DAY) is None
    assert world.rate_at(TIERS["gold"].pair, NOON + DAY, "GOLD") == TIERS["gold again"]


def test_a_conversion_notes_the_tier_it_was_asked_with() -> None:
    """Not the one of the rate: that stands with the rate."""
    asked = replace(convert("60 BNK", "AIR", by="BNK"), tier="SILVER")

    posting = rule(asked, member(BNK=60), coalition(*TIERS.values()))

    assert (posting.tier, posting.rate_id) == ("SILVER", TIERS["everybody"].rate_id)
