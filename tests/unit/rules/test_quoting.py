"""Quoting a conversion from either side, and converting by a quote whatever has become of rate and prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange.conversion.rules import convert as rule
from exchange.ledger.ids import new_id
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition
from exchange.refusals import (
    AboveMaximum,
    AmountOverflow,
    BelowMinTarget,
    CurrencySuspended,
    DailyCapExceeded,
    InsufficientPoints,
    MerchantSuspended,
    NegativeSpread,
    NoPrice,
    NoRate,
    QuoteExpired,
    QuoteUsed,
    Refusal,
    ResourceNotFound,
)
from tests.unit.rules.conversions import BNK_TO_AIR, used_and_received
from tests.unit.rules.quotes import AGREED, a_quote, by, knowing, quoted
from tests.unit.rules.rulebook import (
    CURRENCY_NO,
    NOON,
    SECOND,
    coalition,
    convert,
    currency,
    debts,
    member,
    price,
    rate,
    some_price,
)


# ------------------------------------------------------------------------------------------------ giving a quote
def test_a_fixed_source_is_quoted_as_it_would_be_converted() -> None:
    """The rulebook's example: of 100 000 BNK 99 000 are used for 3 300 AIR."""
    terms = quoted(100_000)

    assert (terms.used_units, terms.received_units, terms.fee_micros) == (99_000, 3_300, 100_000)
    assert (terms.out_price_micros, terms.in_price_micros, terms.rate_id) == (2_000, 55_000, AGREED.rate_id)


@pytest.mark.parametrize(
    ("wanted", "used", "received"),
    [(1, 3_000, 100), (100, 3_000, 100), (101, 6_000, 200), (3_300, 99_000, 3_300)],
)
def test_a_fixed_target_takes_the_fewest_whole_blocks(wanted: int, used: int, received: int) -> None:
    """A block gives 100 AIR: whoever wants 101 pays for two and gets both."""
    terms = quoted(wanted, reaching=True)

    assert (terms.used_units, terms.received_units) == (used, received)


def test_a_volume_bonus_counts_towards_a_fixed_target() -> None:
    """100 more for each 30 000: 1 100 AIR cost 30 000 BNK, not 33 000."""
    agreed = rate(*BNK_TO_AIR, block=3_000, bonus=(30_000, 90))

    assert quoted(1_090, agreed, reaching=True).used_units == 30_000
    assert quoted(1_091, agreed, reaching=True).used_units == 33_000


def test_a_fixed_target_below_the_minimum_takes_the_minimum() -> None:
    """The rate takes no fewer, so the fewest it takes is what is quoted."""
    terms = quoted(1, rate(*BNK_TO_AIR, minimum=9_000), reaching=True)

    assert (terms.used_units, terms.received_units) == (9_000, 300)


def test_a_fixed_target_beyond_the_maximum_is_refused_with_the_source_it_needs() -> None:
    """101 AIR need 3 030 BNK; the maximum itself is allowed."""
    agreed = rate(*BNK_TO_AIR, maximum=3_000)

    with pytest.raises(AboveMaximum) as caught:
        quoted(101, agreed, reaching=True)

    assert (caught.value.data["requested"], caught.value.data["maximum"]) == ("3030", "3000")
    assert quoted(100, agreed, reaching=True).used_units == 3_000


def test_a_fixed_target_that_needs_more_than_64_bits_is_refused() -> None:
    """Thirty times the largest amount."""
    with pytest.raises(AmountOverflow) as caught:
        quoted(INT64_MAX, rate(*BNK_TO_AIR), reaching=True)

    assert caught.value.data["figure"] == "source"


@pytest.mark.parametrize("reaching", [False, True], ids=["source", "target"])
@pytest.mark.parametrize(
    ("world", "refusal"),
    [
        (coalition(), NoRate),
        (coalition(rate(*BNK_TO_AIR, begins=NOON + SECOND)), NoRate),
        (coalition(rate(*BNK_TO_AIR, ends=NOON)), NoRate),
        (coalition(AGREED, currencies=[currency("AIR", price(since=NOON + SECOND))]), NoPrice),
        (coalition(AGREED, currencies=[currency("AIR", some_price("AIR", into=60_001))]), NegativeSpread),
    ],
    ids=["no rate", "not yet", "no longer", "no price", "negative spread"],
)
def test_what_would_not_be_converted_is_not_quoted(world: Coalition, refusal: type[Refusal], reaching: bool) -> None:  # noqa: FBT001
    """From whichever side it is asked."""
    with pytest.raises(refusal):
        quoted(3_000, reaching=reaching, world=world)


# ------------------------------------------------------------------------------------------------ using it
def test_a_quote_converts_what_it_says_whatever_holds_now() -> None:
    """Rate ended, prices tripled, fee raised: what was promised at noon less an hour is what happens."""
    quote = a_quote(quoted(100_000))
    changed = coalition(
        rate("60 BNK", "1 AIR", fee=9_999_999),
        currencies=[currency("AIR", price(into=165_000)), currency("BNK", price(out=6_000))],
    )

    posting = rule(by(quote), knowing(quote), changed)

    assert used_and_received(posting) == (99_000, 3_300)
    assert debts(posting) == [
        ("BNK", "AIR", "CONVERSION", 181_500_000),
        ("BNK", "OPR", "SPREAD", 16_500_000),
        ("BNK", "OPR", "FEE", 100_000),
    ]
    assert posting.new_lots[0].price_micros == 55_000
    assert (posting.rate_id, posting.quote_id) == (AGREED.rate_id, quote.quote_id)


def test_a_quote_needs_what_it_uses_and_no_more() -> None:
    """It was asked for with 100 000: 99 000 are enough, one fewer is not."""
    quote = a_quote(quoted(100_000))

    with pytest.raises(InsufficientPoints) as caught:
        rule(by(quote), knowing(quote, 98_999), coalition())

    assert (caught.value.data["available"], caught.value.data["requested"]) == ("98999", "99000")
    assert used_and_received(rule(by(quote), knowing(quote, 99_000), coalition())) == (99_000, 3_300)


def test_a_quote_is_dead_at_the_very_instant_of_its_expiry() -> None:
    """A microsecond before, it lives."""
    dead, alive = (a_quote(quoted(3_000), ends=timedelta(microseconds=left)) for left in (0, 1))

    with pytest.raises(QuoteExpired) as caught:
        rule(by(dead), knowing(dead), coalition(AGREED))

    assert caught.value.data == {"quote": dead.name, "expired": "2026-03-02T04:00:00+00:00"}
    assert used_and_received(rule(by(alive), knowing(alive), coalition())) == (3_000, 100)


def test_a_used_quote_tells_what_used_it() -> None:
    """Also when its time is over."""
    earlier = new_id()
    quote = a_quote(quoted(3_000), used_by=earlier, ends=-SECOND)

    with pytest.raises(QuoteUsed) as caught:
        rule(by(quote), knowing(quote), coalition(AGREED))

    assert caught.value.data == {"quote": quote.name, "transfer": f"transfers/{earlier}"}


def test_somebody_elses_quote_does_not_exist() -> None:
    """AIR is an issuer too, and may convert; not by what BNK was promised."""
    quote = a_quote(quoted(3_000))

    with pytest.raises(ResourceNotFound) as caught:
        rule(by(quote, by="AIR"), knowing(quote), coalition(AGREED))
    with pytest.raises(ResourceNotFound) as missing:
        rule(by(quote, by="AIR"), member(BNK=3_000), coalition(AGREED))

    assert caught.value.data == missing.value.data == {"resource": quote.name, "field": "quote"}


def test_the_daily_cap_of_its_day_still_holds() -> None:
    """A quote fixes terms, not limits: of 5 000 a day, 3 000 are used."""
    quote = a_quote(quoted(3_000, rate(*BNK_TO_AIR, daily_cap=5_000)))
    facts = knowing(quote)
    facts.notes.daily_used[(CURRENCY_NO["BNK"], CURRENCY_NO["AIR"])] = 2_001

    with pytest.raises(DailyCapExceeded) as caught:
        rule(by(quote), facts, coalition())

    assert (caught.value.data["cap"], caught.value.data["used"]) == ("5000", "2001")


@pytest.mark.parametrize("suspended", ["BNK", "AIR"])
def test_a_quote_is_no_way_round_a_suspension(suspended: str) -> None:
    """Of an issuer or of a currency."""
    quote = a_quote(quoted(3_000))

    with pytest.raises(MerchantSuspended):
        rule(by(quote), knowing(quote), coalition(AGREED, suspended=[suspended]))
    with pytest.raises(CurrencySuspended):
        rule(by(quote), knowing(quote), coalition(AGREED, currencies=[currency(suspended, suspended=True)]))


# ------------------------------------------------------------------------------------------------ without a quote
def test_a_conversion_may_say_what_it_must_give_at_least() -> None:
    """3 300 it gives; 3 301 are refused with both figures."""
    asked = convert("100 000 BNK", "AIR", by="BNK")

    with pytest.raises(BelowMinTarget) as caught:
        rule(replace(asked, min_target_units=3_301), member(BNK=10**6), coalition(AGREED))

    assert caught.value.data == {"received": "3300", "min_target": "3301", "rate": AGREED.name}
    enough = rule(replace(asked, min_target_units=3_300), member(BNK=10**6), coalition(AGREED))
    assert used_and_received(enough) == (99_000, 3_300)
