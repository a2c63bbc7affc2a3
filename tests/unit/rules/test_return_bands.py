"""Return-rate bands: what a rule's points are worth against the money they are earned by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.directory.bands import DEFAULT_BPS, BandAction, Sector, judged
from exchange.directory.model import ReturnBand
from exchange.rates.model import Coalition
from exchange.refusals import ReturnRateExceeded
from tests.unit.rules.days import Day, earn_rule, spend, with_earn_rules
from tests.unit.rules.rulebook import LONG_AGO, MERCHANT_NO, NOON, coalition, currency, price

# TEL is redeemed at 10 000 micro-yuan, one fen: one point for 100 fen is 100 basis points.
TEL = currency("TEL")


def band(max_bps: int, action: BandAction = BandAction.REFUSE, since: timedelta = timedelta()) -> ReturnBand:
    """From long ago, or from so long after noon."""
    return ReturnBand(NOON + since if since else LONG_AGO, Sector.OTHER, max_bps, action)


def banded(*bands: ReturnBand, per: int, points: int = 1) -> Coalition:
    """CAF earns `points` TEL for each `per` fen, under bands."""
    world = with_earn_rules(coalition(), earn_rule("tea", per, points=points))
    return replace(world, directory=replace(world.directory, return_bands={MERCHANT_NO["CAF"]: list(bands)}))


def test_the_very_band_is_within_it() -> None:
    """100 of 100 basis points; a rule that asks a fen less is above, and its rate is rounded up."""
    within = Day(banded(band(100), per=100)).do(spend(500, "tea"))

    with pytest.raises(ReturnRateExceeded) as refused:
        Day(banded(band(100), per=99)).do(spend(500, "tea"))

    assert within.spend_minor == 500
    assert refused.value.data == {"rule": "earnRules/tea", "rate_bps": "102", "max_bps": "100"}


@pytest.mark.parametrize("action", [BandAction.WARN, BandAction.IGNORE])
def test_a_band_that_does_not_refuse_lets_the_award_through(action: BandAction) -> None:
    """A warning is judged all the same; what is ignored is not."""
    world = banded(band(100, action), per=10)

    Day(world).do(spend(500, "tea"))

    over = judged(world.directory.earn_rules["tea"], TEL, world.directory.return_bands[MERCHANT_NO["CAF"]], NOON)
    assert (over is not None and over.rate_bps == 1_000) == (action is BandAction.WARN)


def test_what_was_carried_makes_no_award_dearer() -> None:
    """One fen that completes a point is judged as the rule is."""
    day = Day(banded(band(100), per=100))
    day.do(spend(99, "tea"))

    completed = day.do(spend(1, "tea"))

    assert completed.carried_minor == 0


def test_the_band_and_the_price_of_the_moment_are_looked_at() -> None:
    """Those of an earlier instant stay what they were for what happened then."""
    rule, later = earn_rule("tea", 100), timedelta(hours=1)
    bands = [band(100), band(50, since=later)]
    dearer = replace(TEL, prices=[*TEL.prices, price(redeem=20_000, since=NOON + 2 * later, number=2)])

    rates = [judged(rule, dearer, bands, NOON + hours * later) for hours in (0, 1, 2)]

    assert [over and (over.rate_bps, over.max_bps) for over in rates] == [None, (100, 50), (200, 50)]


def test_trades_have_what_is_usual_in_them() -> None:
    """Telecom 3 %, airline 10 %, card 2 %; of others somebody must say."""
    assert DEFAULT_BPS == {Sector.TELECOM: 300, Sector.AIRLINE: 1_000, Sector.CARD: 200}


@given(per=st.integers(1, 10**9), points=st.integers(1, 10**9), most=st.integers(1, 10**6))
def test_a_rule_is_over_its_band_exactly_when_its_points_are_worth_more(per: int, points: int, most: int) -> None:
    """In whole numbers, whatever they are: points x 1 fen x 10 000 > band x money."""
    over = judged(earn_rule("tea", per, points=points), TEL, [band(most)], NOON)

    assert (over is not None) == (points * 10_000 > most * per)
    assert over is None or over.rate_bps > most
