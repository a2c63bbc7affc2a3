"""What is shown of rates before they are published: no circle that gains, bounds, succession; and all that fails."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from exchange.rates.model import Bounds, Proposal, Rate
from exchange.rates.proofs import (
    Ground,
    least_spreads,
    problems,
    product_text,
    require_no_gain,
    round_trips,
)
from exchange.refusals import Refusal, RoundTripGains
from tests.unit.rules.rulebook import NOON, SECOND, coalition, currency, price, rate

DAY = timedelta(days=1)
FREE = [currency(code, price()) for code in ("AIR", "BNK", "TEL")]
"""Points that cost nothing: what is looked at is the ratios alone."""


def ground(*versions: Rate, bounds: Bounds | None = None, priced: bool = False) -> Ground:
    """A coalition with these versions at noon; its points cost nothing unless `priced`."""
    directory = coalition(currencies=[] if priced else FREE).directory
    return Ground(directory, versions, bounds or Bounds(), NOON)


def gain_of(*wanted: Rate, beside: Iterable[Rate] = ()) -> RoundTripGains:
    """The refusal of rates that gain."""
    with pytest.raises(RoundTripGains) as caught:
        require_no_gain(wanted, ground(*beside))
    return caught.value


def reasons(
    *wanted: Rate, begins: datetime | None = None, beside: Ground | None = None
) -> list[tuple[int | None, str]]:
    """Place and reason of everything against rates, each wanted from when it says, or from `begins`."""
    proposals = [Proposal(one, begins or one.effective_at) for one in wanted]
    found = problems(proposals, beside or ground(), [f"rates[{place}]" for place in range(len(wanted))])
    return [(problem.place, problem.refusal.reason) for problem in found]


# ------------------------------------------------------------------------------------------------ round trips
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


# ------------------------------------------------------------------------------------------------ succession and tiers
def test_a_successor_takes_the_place_of_what_it_names() -> None:
    """Without naming it, it overlaps."""
    there = rate("30 BNK", "1 AIR")

    assert reasons(rate("29 BNK", "1 AIR", supersedes=there), begins=NOON, beside=ground(there)) == []
    assert reasons(rate("29 BNK", "1 AIR"), begins=NOON, beside=ground(there)) == [(0, "RATE_OVERLAP")]


@pytest.mark.parametrize(
    "there",
    [
        rate("1 AIR", "30 BNK"),
        rate("30 BNK", "1 AIR", tier="GOLD"),
        rate("30 BNK", "1 AIR", ends=NOON),
        rate("30 BNK", "1 AIR", begins=NOON + DAY, ends=NOON + DAY),
    ],
    ids=["another pair", "another tier", "over by then", "called off"],
)
def test_only_a_version_of_the_same_pair_and_tier_that_still_holds_is_superseded(there: Rate) -> None:
    """Anything else was not meant."""
    wanted = rate("40 BNK", "1 AIR", supersedes=there)

    assert reasons(wanted, begins=NOON, beside=ground(there)) == [(0, "SUPERSEDES_MISMATCH")]


def test_a_version_that_has_not_begun_can_be_superseded() -> None:
    """Then it never holds."""
    later = rate("30 BNK", "1 AIR", begins=NOON + DAY)

    assert reasons(rate("29 BNK", "1 AIR", supersedes=later), begins=NOON, beside=ground(later)) == []


def test_what_there_is_not_cannot_be_superseded() -> None:
    """The field is named."""
    nowhere = rate("30 BNK", "1 AIR")

    assert reasons(rate("29 BNK", "1 AIR", supersedes=nowhere), begins=NOON) == [(0, "RESOURCE_NOT_FOUND")]


def test_versions_of_different_tiers_hold_side_by_side() -> None:
    """Two of one tier do not, nor two of one draft."""
    everybody = rate("30 BNK", "1 AIR")
    gold, more_gold = rate("29 BNK", "1 AIR", tier="GOLD"), rate("28 BNK", "1 AIR", tier="GOLD")

    assert reasons(gold, begins=NOON, beside=ground(everybody)) == []
    assert reasons(gold, more_gold, begins=NOON) == [(0, "RATE_OVERLAP"), (1, "RATE_OVERLAP")]


def test_everything_against_a_draft_is_told_at_once() -> None:
    """Not only the first: who mends one thing should not learn of the next one tomorrow."""
    beside = ground(rate("30 BNK", "1 AIR"), priced=True, bounds=Bounds(fee_micros_max=5))
    wanted = [
        rate("29 BNK", "1 AIR", fee=6, begins=NOON - DAY, ends=NOON - 2 * DAY),
        rate("20 BNK", "1 AIR", begins=NOON, tier="GOLD"),
    ]

    assert reasons(*wanted, beside=beside) == [
        (0, "TOO_LATE"),
        (0, "RATE_OVERLAP"),
        (0, "RATE_OUT_OF_BOUNDS"),
        (1, "NEGATIVE_SPREAD"),
    ]


# ------------------------------------------------------------------------------------------------ bounds
def out_of_bounds(
    wanted: Rate, bounds: Bounds, *versions: Rate, begins: datetime | None = None
) -> dict[str, str] | None:
    """Data of the only thing against a rate, None when nothing is."""
    found = [
        problem.refusal
        for problem in problems(
            [Proposal(wanted, begins or NOON)], ground(*versions, bounds=bounds, priced=True), ["rate"]
        )
    ]
    return _only(found).data if found else None


def _only(refusals: list[Refusal]) -> Refusal:
    (refusal,) = refusals
    assert refusal.reason == "RATE_OUT_OF_BOUNDS"
    return refusal


@pytest.mark.parametrize(
    ("bounds", "allowed", "beyond", "figure", "value"),
    [
        (Bounds(fee_micros_max=5), {"fee": 5}, {"fee": 6}, "fee_micros", "6"),
        (Bounds(fee_per_point_micros_max=5), {"fee_per_point": 5}, {"fee_per_point": 6}, "fee_per_point_micros", "6"),
        (Bounds(bonus_bps_max=100), {"bonus": (3_000, 1)}, {"bonus": (3_000, 2)}, "bonus_bps", "200"),
        (Bounds(bonus_bps_max=100), {"bonus": (3_000, 1)}, {"bonus": (2_999, 1)}, "bonus_bps", "101"),
    ],
)
def test_a_figure_up_to_its_bound_is_allowed_and_the_next_one_is_not(
    bounds: Bounds, allowed: dict[str, int], beyond: dict[str, int], figure: str, value: str
) -> None:
    """A part of a basis point counts as a whole one: no bound is passed by rounding. 30 BNK leave a tenth of room."""
    assert out_of_bounds(rate("30 BNK", "1 AIR", **allowed), bounds) is None  # type: ignore[arg-type]

    refused = out_of_bounds(rate("30 BNK", "1 AIR", **beyond), bounds)  # type: ignore[arg-type]

    assert refused is not None
    assert (refused["field"], refused["figure"], refused["value"]) == ("rate", figure, value)


def test_the_margin_is_counted_by_the_plain_ratio() -> None:
    """30 BNK pay 60 000, an AIR costs 55 000: 5 000 of 60 000 are 834 basis points; who moves little gets no bonus."""
    wanted = rate("30 BNK", "1 AIR", bonus=(9_000, 27))

    assert out_of_bounds(wanted, Bounds(margin_bps_max=834)) is None
    refused = out_of_bounds(wanted, Bounds(margin_bps_max=833))
    assert refused is not None
    assert (refused["figure"], refused["value"], refused["bound"]) == ("margin_bps", "834", "833")


@pytest.mark.parametrize("tier", ["", "GOLD"])
def test_a_ratio_changes_no_more_than_the_bound_from_the_version_before(tier: str) -> None:
    """From 30:1 to 33:1 a point gives an eleventh less: 910 basis points, rounded up. Other tiers do not count."""
    before = rate("30 BNK", "1 AIR", ends=NOON, tier=tier)
    other = rate("90 BNK", "1 AIR", tier="" if tier else "SILVER")
    wanted = rate("33 BNK", "1 AIR", tier=tier)

    assert out_of_bounds(wanted, Bounds(change_bps_max=910), before, other) is None
    refused = out_of_bounds(wanted, Bounds(change_bps_max=909), before, other)
    assert refused is not None
    assert (refused["figure"], refused["value"]) == ("change_bps", "910")
    assert out_of_bounds(wanted, Bounds(change_bps_max=1), other) is None, "the first of its pair changes nothing"


def test_a_rate_is_published_as_long_before_it_begins_as_the_bound_says() -> None:
    """A day's notice: at the very instant it is enough."""
    wanted, notice = rate("30 BNK", "1 AIR"), Bounds(notice_seconds_min=86_400)

    assert out_of_bounds(wanted, notice, begins=NOON + DAY) is None
    refused = out_of_bounds(wanted, notice, begins=NOON + DAY - SECOND)
    assert refused is not None
    assert (refused["figure"], refused["value"], refused["bound"]) == ("notice_seconds", "86399", "86400")


def test_the_least_spread_is_told_of_each_rate() -> None:
    """Of all the prices announced the one that leaves the operator least; none where there is no price."""
    dearer = currency(
        "AIR", price(into=55_000), price(into=58_000, since=NOON + DAY), price(into=1, since=NOON + 2 * DAY)
    )
    late = currency("TEL", price(since=NOON + DAY))
    directory = coalition(currencies=[dearer, late]).directory

    found = least_spreads([rate("30 BNK", "1 AIR", begins=NOON), rate("1 BNK", "1 TEL", begins=NOON)], directory)

    assert found[0] is not None
    assert (found[0].since, found[0].kept, found[0].worth) == (NOON + DAY, 2_000, 60_000)
    assert found[1] is None
