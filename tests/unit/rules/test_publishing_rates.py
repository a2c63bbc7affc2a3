"""When a rate may be published: one version at an instant, one kind of money, and never at the operator's cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from exchange.rates.model import Coalition, Rate, by_pair
from exchange.rates.rules import require_no_overlap, require_same_money, require_spread, require_spreads
from exchange.refusals import NegativeSpread, NoPrice, RateOverlap, SettlementCurrencyMismatch
from tests.unit.rules.rulebook import (
    CURRENCY_NO,
    LONG_AGO,
    NOON,
    SECOND,
    coalition,
    currency,
    price,
    rate,
    some_price,
    with_prices,
)

DAY = timedelta(days=1)
BNK, AIR = currency("BNK"), currency("AIR")


def version(begins: datetime, ends: datetime | None) -> Rate:
    """A version of the pair BNK to AIR."""
    return rate("30 BNK", "1 AIR", begins=begins, ends=ends)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (NOON, None),
        (NOON - DAY, None),
        (NOON - DAY, NOON + SECOND),
        (NOON + DAY - SECOND, NOON + 2 * DAY),
        (NOON + SECOND, NOON + 2 * SECOND),
    ],
    ids=["from then on", "all around", "into its beginning", "into its end", "within"],
)
def test_two_versions_of_a_pair_never_hold_at_once(begins: datetime, ends: datetime | None) -> None:
    """Against one that holds from noon to noon; the refusal names it."""
    there = version(NOON, NOON + DAY)

    with pytest.raises(RateOverlap) as caught:
        require_no_overlap(version(begins, ends), [there], BNK, AIR)

    assert caught.value.data["overlaps"] == there.name


@pytest.mark.parametrize(
    ("begins", "ends"), [(NOON - DAY, NOON), (NOON + DAY, None)], ids=["up to its beginning", "from its end on"]
)
def test_versions_may_follow_one_another_without_a_gap(begins: datetime, ends: datetime | None) -> None:
    """Intervals are half-open: the instant of change belongs to the newer one alone."""
    require_no_overlap(version(begins, ends), [version(NOON, NOON + DAY)], BNK, AIR)


def test_a_version_that_was_ended_before_it_began_is_in_nobodys_way() -> None:
    """It never held, so it is neither in force nor overlapped."""
    never = version(NOON + DAY, NOON + DAY)

    require_no_overlap(version(NOON, None), [never], BNK, AIR)

    assert by_pair([never, version(NOON, None)])[never.pair] != []
    assert Coalition(coalition().directory, by_pair([never])).rate_at(never.pair, NOON + DAY) is None


def test_both_sides_are_priced_in_the_same_money() -> None:
    """A spread between yuan and yen would mean nothing."""
    with pytest.raises(SettlementCurrencyMismatch):
        require_same_money(BNK, replace(AIR, settlement_currency="JPY"))

    require_same_money(BNK, AIR)


def test_a_rate_may_leave_the_operator_nothing_but_cost_it_nothing() -> None:
    """30 BNK are worth 60 000 on the way out; an AIR may cost just that on the way in."""
    agreed = rate("30 BNK", "1 AIR", begins=NOON)

    require_spread(agreed, coalition(currencies=[currency("AIR", price(into=60_000))]).directory)
    with pytest.raises(NegativeSpread) as caught:
        require_spread(agreed, coalition(currencies=[currency("AIR", price(into=60_001))]).directory)

    assert (caught.value.data["out_micros"], caught.value.data["in_micros"]) == ("2000", "60001")


def test_a_bonus_counts_where_it_weighs_most() -> None:
    """300 AIR for 9 000 BNK leave room for 27 more at 55 000; 28 would cost the operator."""
    require_spread(rate("30 BNK", "1 AIR", bonus=(9_000, 27)), coalition().directory)

    with pytest.raises(NegativeSpread):
        require_spread(rate("30 BNK", "1 AIR", bonus=(9_000, 28)), coalition().directory)


@pytest.mark.parametrize("ends", [None, NOON + 2 * DAY], ids=["for ever", "past the change"])
def test_prices_already_announced_are_looked_at_too(ends: datetime | None) -> None:
    """The airline's points get dearer tomorrow, within the rate's time."""
    dearer = with_prices("AIR", some_price("AIR"), price(into=99_000, since=NOON + DAY))

    with pytest.raises(NegativeSpread) as caught:
        require_spread(rate("30 BNK", "1 AIR", begins=NOON, ends=ends), coalition(currencies=[dearer]).directory)

    assert caught.value.data["since"] == str(NOON + DAY)


def test_prices_outside_the_rates_time_do_not_matter() -> None:
    """Neither those before it begins nor those from its end on."""
    dear = price(into=99_000)
    airline = with_prices(
        "AIR", dear, some_price("AIR")._replace(effective_at=NOON), dear._replace(effective_at=NOON + DAY)
    )

    require_spread(rate("30 BNK", "1 AIR", begins=NOON, ends=NOON + DAY), coalition(currencies=[airline]).directory)


def test_a_rate_needs_prices_when_it_begins() -> None:
    """Else nobody could tell what it costs."""
    late = currency("AIR", price(into=1, since=NOON + SECOND))

    with pytest.raises(NoPrice):
        require_spread(rate("30 BNK", "1 AIR", begins=NOON), coalition(currencies=[late]).directory)


def test_a_new_price_is_held_against_every_rate() -> None:
    """The second of three would lose money; one that has no price any more refuses its conversions itself."""
    priceless = currency("TEL", price(since=NOON + DAY))
    rates = [
        rate("30 BNK", "1 TEL", begins=LONG_AGO),
        rate("29 BNK", "1 AIR", begins=LONG_AGO),
        rate("31 BNK", "1 AIR", begins=LONG_AGO),
    ]
    world = coalition(currencies=[priceless, currency("AIR", price(into=60_000))])

    require_spreads([rates[0], rates[2]], world.directory)
    with pytest.raises(NegativeSpread) as caught:
        require_spreads(rates, world.directory)
    assert caught.value.data["target"] == world.directory.currencies[CURRENCY_NO["AIR"]].name
