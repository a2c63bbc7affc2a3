"""Conversions that are refused: beyond the rate's bounds, by whoever may not, or past what 64 bits hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from exchange.conversion.rules import convert as rule
from exchange.directory.model import MerchantRole
from exchange.money.limits import INT64_MAX
from exchange.rates.model import Coalition, Rate
from exchange.refusals import (
    AboveMaximum,
    AmountOverflow,
    BelowMinimum,
    ConvertsToNothing,
    CurrencySuspended,
    DailyCapExceeded,
    InsufficientPoints,
    MerchantSuspended,
    NoPrice,
    NoRate,
    Refusal,
    ResourceNotFound,
    RoleMissing,
)
from tests.unit.rules.conversions import BNK_TO_AIR, bank_to_airline, used_and_received
from tests.unit.rules.days import HOUR, Day, reverse
from tests.unit.rules.rulebook import (
    ALL_ROLES,
    LONG_AGO,
    NOON,
    SECOND,
    coalition,
    convert,
    currency,
    lot,
    member,
    price,
    rate,
)

# ------------------------------------------------------------------------------------------------ the rate's bounds
BOUNDS: list[tuple[str, str, Rate, type[Refusal], dict[str, str]]] = [
    ("minimum", "59 BNK", rate(*BNK_TO_AIR, minimum=60), BelowMinimum, {"requested": "59", "minimum": "60"}),
    ("maximum", "61 BNK", rate(*BNK_TO_AIR, maximum=60), AboveMaximum, {"requested": "61", "maximum": "60"}),
    ("less than a block", "2 999 BNK", rate(*BNK_TO_AIR, block=3_000), ConvertsToNothing, {"block": "3000"}),
    ("less than a point", "29 BNK", rate(*BNK_TO_AIR), ConvertsToNothing, {"requested": "29"}),
    ("daily cap", "90 BNK", rate(*BNK_TO_AIR, daily_cap=60), DailyCapExceeded, {"cap": "60", "used": "0"}),
]


@pytest.mark.parametrize(
    ("points", "agreed", "refusal", "data"), [row[1:] for row in BOUNDS], ids=[row[0] for row in BOUNDS]
)
def test_beyond_a_bound_nothing_is_converted(
    points: str, agreed: Rate, refusal: type[Refusal], data: dict[str, str]
) -> None:
    """And the refusal carries the figures."""
    with pytest.raises(refusal) as caught:
        bank_to_airline(points, agreed)

    assert data.items() <= caught.value.data.items()


@pytest.mark.parametrize(
    "terms",
    [{"minimum": 60}, {"maximum": 60}, {"block": 60}, {"daily_cap": 60}],
    ids=["minimum", "maximum", "block", "cap"],
)
def test_at_the_bound_itself_it_is_converted(terms: dict[str, int]) -> None:
    """Bounds are inclusive."""
    assert used_and_received(bank_to_airline("60 BNK", rate(*BNK_TO_AIR, **terms))) == (60, 2)  # type: ignore[arg-type]


def test_the_daily_cap_counts_what_was_used_today() -> None:
    """Of 100, 61 were used: 39 are left, and only what is used counts, so 60 asked for with 30 used still fit."""
    agreed = rate(*BNK_TO_AIR, daily_cap=100)

    posting = bank_to_airline("59 BNK", agreed, facts=member(BNK=500, daily_used=61))

    assert posting.daily_use is not None
    assert (posting.daily_use.used_units, posting.daily_use.day) == (91, date(2026, 3, 2))
    with pytest.raises(DailyCapExceeded) as caught:
        bank_to_airline("60 BNK", agreed, facts=member(BNK=500, daily_used=61))
    assert caught.value.data["used"] == "61"


def test_without_a_cap_no_use_is_counted() -> None:
    """Nothing is written that nobody will read."""
    assert bank_to_airline("60 BNK").daily_use is None


def test_what_a_version_without_a_cap_converts_counts_for_one_with_a_cap() -> None:
    """The cap is the pair's: 60 of the morning's version leave 40 to the evening's."""
    morning = rate(*BNK_TO_AIR, ends=NOON + HOUR)
    world = coalition(morning, rate(*BNK_TO_AIR, daily_cap=100, begins=NOON + HOUR))
    day = Day(world, member(BNK=500))
    day.do(convert("60 BNK", "AIR", by="BNK"))

    day.pass_time(HOUR)

    with pytest.raises(DailyCapExceeded) as caught:
        day.do(convert("60 BNK", "AIR", by="BNK"))
    assert caught.value.data["used"] == "60"


def test_a_reversed_conversion_gives_its_share_of_the_cap_back() -> None:
    """60 of 100 used and taken back: all 100 are free; and of yesterday's there is nothing to give back today."""
    world = coalition(rate(*BNK_TO_AIR, daily_cap=100))
    day = Day(world, member(BNK=500))
    converted = day.do(convert("60 BNK", "AIR", by="BNK"))
    day.do(convert("30 BNK", "AIR", by="BNK"))

    day.do(reverse(converted))
    day.do(convert("60 BNK", "AIR", by="BNK"))
    before = day.facts.notes.daily_used.copy()
    day.pass_time(24 * HOUR)
    late = day.do(convert("90 BNK", "AIR", by="BNK"))
    day.pass_time(24 * HOUR)
    day.do(convert("90 BNK", "AIR", by="BNK"))
    day.do(reverse(late))

    assert (list(before.values()), list(day.facts.notes.daily_used.values())) == ([90], [90])


def test_a_conversion_takes_the_nearest_expiry_first() -> None:
    """As every other use of points does."""
    soon, later = lot(40, expires=NOON + SECOND), lot(40)

    posting = bank_to_airline("60 BNK", facts=member(BNK=[later, soon]))

    assert [leg.lot_id for leg in posting.legs[:2]] == [soon.lot_id, later.lot_id]


def test_who_asks_for_more_than_there_is_gets_nothing() -> None:
    """Even where the part that would be used is there: what is asked must be the member's."""
    with pytest.raises(InsufficientPoints) as caught:
        bank_to_airline("89 BNK", facts=member(BNK=88))

    assert caught.value.data == {"currency": "currencies/BNK", "available": "88", "requested": "89"}


# ------------------------------------------------------------------------------------------------ what must be in force
@pytest.mark.parametrize(
    ("begins", "ends"),
    [(NOON + SECOND, None), (LONG_AGO, NOON)],
    ids=["begins later", "ends at this instant"],
)
def test_a_rate_that_is_not_in_force_converts_nothing(begins: datetime, ends: datetime | None) -> None:
    """From its first instant until before its last."""
    with pytest.raises(NoRate):
        bank_to_airline("60 BNK", rate(*BNK_TO_AIR, begins=begins, ends=ends))


def test_the_version_in_force_at_the_instant_decides() -> None:
    """The old one until before noon, the new one from noon on."""
    world = coalition(rate(*BNK_TO_AIR, ends=NOON), rate("60 BNK", "1 AIR", begins=NOON))

    before = bank_to_airline("60 BNK", world=world, facts=member(NOON - SECOND, BNK=60))
    at_noon = bank_to_airline("60 BNK", world=world, facts=member(NOON, BNK=60))

    assert [used_and_received(posting)[1] for posting in (before, at_noon)] == [2, 1]


def test_a_rate_holds_in_its_direction_only() -> None:
    """The way back is another rate."""
    with pytest.raises(NoRate):
        rule(convert("60 AIR", "BNK", by="AIR"), member(AIR=60), coalition(rate(*BNK_TO_AIR)))


REFUSED: list[tuple[str, Callable[[], Coalition], type[Refusal]]] = [
    (
        "no exchange merchant",
        lambda: coalition(rate(*BNK_TO_AIR), roles={"BNK": ALL_ROLES - {MerchantRole.EXCHANGE}}),
        RoleMissing,
    ),
    ("source issuer suspended", lambda: coalition(rate(*BNK_TO_AIR), suspended=["BNK"]), MerchantSuspended),
    ("target issuer suspended", lambda: coalition(rate(*BNK_TO_AIR), suspended=["AIR"]), MerchantSuspended),
    (
        "source suspended",
        lambda: coalition(rate(*BNK_TO_AIR), currencies=[currency("BNK", suspended=True)]),
        CurrencySuspended,
    ),
    (
        "target suspended",
        lambda: coalition(rate(*BNK_TO_AIR), currencies=[currency("AIR", suspended=True)]),
        CurrencySuspended,
    ),
    (
        "target without a price",
        lambda: coalition(rate(*BNK_TO_AIR), currencies=[currency("AIR", price(into=1, since=NOON + SECOND))]),
        NoPrice,
    ),
]


@pytest.mark.parametrize(("world", "refusal"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_conversion_needs_both_sides_in_good_standing(world: Callable[[], Coalition], refusal: type[Refusal]) -> None:
    """Roles, suspensions and prices of either side."""
    with pytest.raises(refusal):
        bank_to_airline("60 BNK", world=world())


@pytest.mark.parametrize(
    ("source", "target", "field"), [("NIX", "AIR", "source.currency"), ("BNK", "NIX", "target_currency")]
)
def test_a_currency_nobody_issues_is_not_found(source: str, target: str, field: str) -> None:
    """The refusal names the field of the request."""
    with pytest.raises(ResourceNotFound) as caught:
        rule(convert(f"60 {source}", target, by="BNK"), member(BNK=60), coalition(rate(*BNK_TO_AIR)))

    assert caught.value.data["field"] == field


# ------------------------------------------------------------------------------------------------ 64 bits
def test_more_target_points_than_64_bits_hold_are_not_minted() -> None:
    """One point for a thousand times what there may be at most."""
    free = currency("AIR", price())
    world = coalition(rate("1 BNK", "1 000 AIR"), currencies=[free])

    with pytest.raises(AmountOverflow):
        bank_to_airline(f"{INT64_MAX} BNK", world=world, facts=member(BNK=INT64_MAX))


def test_a_target_balance_fills_64_bits_and_no_more() -> None:
    """The member's room is what is left on the account."""
    world = coalition(rate("1 BNK", "1 AIR"), currencies=[currency("AIR", price())])
    nearly_full = member(BNK=10, AIR=INT64_MAX - 5)

    assert used_and_received(bank_to_airline("5 BNK", world=world, facts=nearly_full)) == (5, 5)
    with pytest.raises(AmountOverflow):
        bank_to_airline("6 BNK", world=world, facts=nearly_full)


@pytest.mark.parametrize("terms", [{"fee": INT64_MAX, "fee_per_point": 1}, {"fee_per_point": INT64_MAX}])
def test_a_fee_beyond_64_bits_is_refused(terms: dict[str, int]) -> None:
    """It would be owed by someone, so it must fit."""
    with pytest.raises(AmountOverflow):
        bank_to_airline("60 BNK", rate(*BNK_TO_AIR, **terms))  # type: ignore[arg-type]


def test_a_spread_beyond_64_bits_is_refused() -> None:
    """Each obligation is checked, the difference too."""
    dear = currency("BNK", price(out=INT64_MAX))

    with pytest.raises(AmountOverflow):
        bank_to_airline("60 BNK", world=coalition(rate(*BNK_TO_AIR), currencies=[dear]))
