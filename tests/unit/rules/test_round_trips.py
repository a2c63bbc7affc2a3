"""What is shown of rates before they are published: that nobody can convert round a circle and gain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from exchange.rates.model import Rate
from exchange.rates.proofs import product_text, require_no_gain, round_trips
from exchange.refusals import RoundTripGains
from tests.unit.rules.grounds import ground
from tests.unit.rules.rulebook import NOON, SECOND, rate

DAY = timedelta(days=1)


def gain_of(*wanted: Rate, beside: Iterable[Rate] = ()) -> RoundTripGains:
    """The refusal of rates that gain."""
    with pytest.raises(RoundTripGains) as caught:
        require_no_gain(wanted, ground(*beside))
    return caught.value


def test_there_and_back_for_as_much_is_no_gain() -> None:
    """30:1 and 1:30: the product is exactly 1."""
    require_no_gain([rate("30 BNK", "1 AIR", begins=NOON)], ground(rate("1 AIR", "30 BNK")))


def test_a_circle_that_gains_is_told_by_its_currencies_and_product() -> None:
    """1 AIR gives 31 BNK, and 30 BNK give an AIR: 30 points become 31."""
    refused = gain_of(rate("30 BNK", "1 AIR", begins=NOON), beside=[back := rate("1 AIR", "31 BNK")])

    assert refused.data == {
        "cycle": "AIR > BNK > AIR",
        "product": "31/30",
        "rates": f"{back.name}, {refused.data['rates'].split(', ')[1]}",
        "since": NOON.isoformat(),
    }


def test_a_circle_over_three_currencies_is_found() -> None:
    """Each pair by itself is harmless."""
    beside = [rate("1 AIR", "5 TEL"), rate("1 TEL", "6 BNK")]

    require_no_gain([rate("30 BNK", "1 AIR", begins=NOON)], ground(*beside))
    assert gain_of(rate("29 BNK", "1 AIR", begins=NOON), beside=beside).data["product"] == "30/29"


def test_rates_of_one_draft_are_looked_at_together() -> None:
    """Neither gains without the other."""
    there, back = rate("10 BNK", "1 AIR", begins=NOON), rate("1 AIR", "11 BNK", begins=NOON)

    require_no_gain([there], ground())
    assert gain_of(there, back).data["product"] == "11/10"


@pytest.mark.parametrize(("bonus", "gains"), [(3, False), (4, True)])
def test_a_bonus_counts_at_its_best(bonus: int, *, gains: bool) -> None:
    """100 for each 3 000: with 3 more of them 30 BNK give 1.03 AIR; way back for 29 leaves room for 3.4 %."""
    wanted = rate("30 BNK", "1 AIR", bonus=(3_000, bonus), begins=NOON)
    beside = [rate("1 AIR", "29 BNK")]

    if gains:
        assert gain_of(wanted, beside=beside).data["product"] == str(Fraction(29, 30) * Fraction(104, 100))
    else:
        require_no_gain([wanted], ground(*beside))


def test_a_bonus_nobody_can_reach_does_not_count() -> None:
    """Conversions of at most 2 999 points never move a full 3 000."""
    beside = [rate("1 AIR", "30 BNK")]

    require_no_gain([rate("30 BNK", "1 AIR", bonus=(3_000, 9), maximum=2_999, begins=NOON)], ground(*beside))
    gain_of(rate("30 BNK", "1 AIR", bonus=(3_000, 9), maximum=3_000, begins=NOON), beside=beside)


def test_fees_do_not_excuse_a_gain() -> None:
    """They are money that merchants owe; the member's points grow all the same."""
    gain_of(rate("30 BNK", "1 AIR", fee=10**12, begins=NOON), beside=[rate("1 AIR", "31 BNK")])


def test_the_best_of_all_tiers_counts() -> None:
    """A person is gold with one merchant and silver with another."""
    beside = [rate("1 AIR", "25 BNK"), rate("1 AIR", "31 BNK", tier="GOLD")]

    gain_of(rate("30 BNK", "1 AIR", tier="SILVER", begins=NOON), beside=beside)
    require_no_gain([rate("31 BNK", "1 AIR", tier="SILVER", begins=NOON)], ground(*beside))


@pytest.mark.parametrize(
    ("begins", "ends", "gains"),
    [
        (NOON + 2 * DAY, None, False),
        (NOON, NOON + DAY, False),
        (NOON, None, True),
        (NOON + 2 * DAY - SECOND, None, True),
        (NOON, NOON + DAY + SECOND, True),
    ],
    ids=["after the other", "before the other", "around it", "into its end", "into its beginning"],
)
def test_only_what_holds_together_makes_a_circle(begins: datetime, ends: datetime | None, *, gains: bool) -> None:
    """The way back is open for a day from tomorrow on: at any one instant of it somebody could go round."""
    way_back = rate("1 AIR", "31 BNK", begins=NOON + DAY, ends=NOON + 2 * DAY)
    wanted = rate("30 BNK", "1 AIR", begins=begins, ends=ends)

    if gains:
        assert gain_of(wanted, beside=[way_back]).data["since"] == max(begins, NOON + DAY).isoformat()
    else:
        require_no_gain([wanted], ground(way_back))


def test_what_is_superseded_is_no_way_back() -> None:
    """The successor takes its place in the same instant."""
    generous = rate("1 AIR", "31 BNK")
    successor = rate("1 AIR", "30 BNK", begins=NOON, supersedes=generous)

    require_no_gain([successor, rate("30 BNK", "1 AIR", begins=NOON)], ground(generous))


def test_the_closest_circle_is_told_of_each_rate_that_closes_one() -> None:
    """BNK to AIR comes back over TEL with a tenth less, and TEL to AIR in one step."""
    wanted = [rate("30 BNK", "1 AIR", begins=NOON), rate("10 TEL", "1 AIR", begins=NOON)]
    beside = ground(rate("1 AIR", "9 TEL"), rate("1 TEL", "3 BNK"), rate("1 AIR", "26 BNK"))

    found = dict(round_trips(wanted, beside))

    assert {place: trip.returns for place, trip in found.items()} == {0: Fraction(27, 30), 1: Fraction(9, 10)}
    assert found[0].cycle[0].rate is wanted[0]
    assert len(found[0].cycle) == 3


def test_a_circle_that_gains_is_told_as_the_closest_too() -> None:
    """So that whoever drafts sees every step of it."""
    wanted = [rate("30 BNK", "1 AIR", begins=NOON)]

    ((place, trip),) = round_trips(wanted, ground(rate("1 AIR", "31 BNK")))

    assert (place, trip.returns, trip.since) == (0, Fraction(31, 30), NOON)


def test_long_products_are_told_as_decimals_on_the_right_side_of_one() -> None:
    """What gains by one part in 10^40 is not told as 1."""
    tiny = Fraction(1, 10**40)

    assert product_text(Fraction(21, 20)) == "21/20"
    assert product_text(1 + tiny) == "about 1.000000001"
    assert product_text(1 - tiny) == "about 0.999999999"
