"""Laws of quotes: a fixed target is the exact inverse of a conversion, and a quote is what converting then would do."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from exchange.conversion.rules import convert as rule
from exchange.quotes.rules import fewest_giving, terms_for, terms_reaching
from exchange.rates.model import Rate, convert_at
from exchange.refusals import AboveMaximum, ConvertsToNothing
from tests.unit.rules.conversions import used_and_received
from tests.unit.rules.quotes import a_quote, by, knowing
from tests.unit.rules.rulebook import NOON, coalition, convert, currency, debts, member, price, rate

small = st.integers(1, 40)
large = st.integers(1, 10**12)


@st.composite
def rates(draw: st.DrawFn, figures: st.SearchStrategy[int] = small) -> Rate:
    """A rate with all that decides how much is received, or without some of it."""
    bonus = draw(st.one_of(st.just((0, 0)), st.tuples(figures, figures)))
    return rate(
        f"{draw(figures)} BNK",
        f"{draw(figures)} AIR",
        block=draw(st.one_of(st.just(1), figures)),
        bonus=bonus,
        minimum=draw(st.integers(0, 60)),
        maximum=draw(st.one_of(st.just(0), st.integers(60, 400))),
        fee=draw(st.integers(0, 9)),
        fee_per_point=draw(st.integers(0, 9)),
        fee_cap=draw(st.one_of(st.just(0), small)),
    )


def by_trying(agreed: Rate, wanted: int) -> int:
    """The fewest source points that give so many, found by trying one after the other."""
    units = 1
    while convert_at(agreed, units).received_units < wanted:
        units += 1
    return units


@given(agreed=rates(), wanted=st.integers(1, 300))
@example(agreed=rate("3 BNK", "2 AIR", block=5, bonus=(7, 3)), wanted=11)
def test_the_fewest_points_are_those_one_finds_by_trying(agreed: Rate, wanted: int) -> None:
    """Blocks, both roundings and the bonus undone exactly."""
    assert fewest_giving(agreed, wanted) == by_trying(agreed, wanted)


@given(agreed=rates(large), wanted=large)
def test_one_point_fewer_would_not_do(agreed: Rate, wanted: int) -> None:
    """For figures too large to try."""
    units = fewest_giving(agreed, wanted)

    assert convert_at(agreed, units).received_units >= wanted
    assert convert_at(agreed, units - 1).received_units < wanted


BNK, AIR = currency("BNK", price(out=10**6)), currency("AIR", price(into=7))


@given(agreed=rates(), wanted=st.integers(1, 300))
def test_a_fixed_target_is_the_cheapest_conversion_the_rate_takes(agreed: Rate, wanted: int) -> None:
    """Among all amounts between minimum and maximum: fewest used, least fee; none when none reaches it."""
    world = coalition(agreed, currencies=[BNK, AIR])
    most = agreed.maximum_units or by_trying(agreed, wanted) + agreed.minimum_units
    offers = [convert_at(agreed, units) for units in range(max(agreed.minimum_units, 1), most + 1)]
    enough = [offer for offer in offers if offer.received_units >= wanted]

    try:
        terms = terms_reaching(BNK, AIR, world, NOON, wanted)
    except AboveMaximum:
        assert not enough
        return

    assert terms.received_units >= wanted
    assert terms.used_units == min(offer.used_units for offer in enough)
    assert terms.fee_micros == min(offer.fee_micros for offer in enough)


@given(agreed=rates(), units=st.integers(60, 400))
def test_a_quote_used_is_the_conversion_it_was_made_from(agreed: Rate, units: int) -> None:
    """Points, debts and fee are those of converting at the moment of the quote."""
    agreed = agreed._replace(maximum_units=0)
    world = coalition(agreed, currencies=[BNK, AIR])
    try:
        terms = terms_for(BNK, AIR, world, NOON, units)
    except ConvertsToNothing:
        assert not convert_at(agreed, units).received_units
        return
    quote = a_quote(terms)

    at_once = rule(convert(f"{units} BNK", "AIR", by="BNK"), member(BNK=units), world)
    later = rule(by(quote), knowing(quote, units), coalition())

    assert used_and_received(later) == used_and_received(at_once)
    assert debts(later) == debts(at_once)
