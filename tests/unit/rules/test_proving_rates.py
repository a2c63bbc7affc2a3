"""What is shown of rates before they are published: succession, tiers, bounds; and all that fails."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from exchange.rates.model import Rate
from exchange.rates.proofs import Ground, least_spreads, problems
from exchange.rates.proposed import Bounds, Proposal
from exchange.refusals import Refusal
from tests.unit.rules.grounds import ground
from tests.unit.rules.rulebook import NOON, SECOND, coalition, currency, price, rate

DAY = timedelta(days=1)


def reasons(
    *wanted: Rate, begins: datetime | None = None, beside: Ground | None = None
) -> list[tuple[int | None, str]]:
    """Place and reason of everything against rates, each wanted from when it says, or from `begins`."""
    proposals = [Proposal(one, begins or one.effective_at) for one in wanted]
    found = problems(proposals, beside or ground(), [f"rates[{place}]" for place in range(len(wanted))])
    return [(problem.place, problem.refusal.reason) for problem in found]


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
