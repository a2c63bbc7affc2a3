"""Reversals of what gave points: an award is taken back as far as it is there, a conversion is undone whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchange.refusals import (
    AlreadyReversed,
    InsufficientPoints,
    NotReversible,
)
from tests.unit.rules.days import (
    HOUR,
    Day,
    expire,
    hold,
    legs,
    mirrored,
    owed,
    owing,
    reverse,
    terms,
)
from tests.unit.rules.rulebook import (
    NOON,
    coalition,
    convert,
    currency,
    earn,
    lot,
    member,
    rate,
    redeem,
)

BANK_TO_AIRLINE = rate("30 BNK", "1 AIR", block=3_000, fee=100_000)


def test_a_reversed_award_takes_its_own_lot_first() -> None:
    """Though another one would be spent before it."""
    day = Day(facts=member(TEL=[lot(5, expires=NOON + HOUR)]))
    award = day.do(earn("5 TEL", "GRO"))

    back = day.do(reverse(award, 3))

    assert (owed(back), day.lots()) == ([("TEL", "GRO", "REVERSAL", 36_000)], [(5, 0), (2, 0)])


def test_a_reversed_award_takes_from_others_what_its_own_lot_no_longer_has() -> None:
    """In spending order, once its own is empty."""
    day = Day(facts=member(TEL=[lot(5)]))
    award = day.do(earn("5 TEL", "GRO"))
    day.do(redeem("7 TEL", "CAF"))

    day.do(reverse(award, 3))

    assert day.lots() == [(0, 0), (0, 0)]


def test_an_award_gives_back_what_is_there_and_the_rest_when_that_has_come() -> None:
    """Two of five at first; three more after the next award; money only for what was taken."""
    day = Day()
    award = day.do(earn("5 TEL", "GRO"))
    day.do(redeem("3 TEL", "CAF"))

    first = day.do(reverse(award))
    with pytest.raises(InsufficientPoints) as caught:
        day.do(reverse(award))
    day.do(earn("9 TEL", "GRO"))
    second = day.do(reverse(award))

    assert [owed(part)[0][3] for part in (first, second)] == [24_000, 36_000]
    assert caught.value.data["requested"] == "3"
    assert day.balance() == (6, 0, 0)
    with pytest.raises(AlreadyReversed):
        day.do(reverse(award))


def test_where_debts_are_allowed_an_award_is_taken_back_whole() -> None:
    """What is spent is owed, cannot be spent, and is paid by whatever comes next."""
    day = Day(owing())
    award = day.do(earn("5 TEL", "GRO"))
    day.do(redeem("3 TEL", "CAF"))

    back = day.do(reverse(award))
    below = day.balance()
    next_award = day.do(earn("4 TEL", "GRO"))

    assert legs(back) == [("MEMBER", "DEBIT", 2), ("OVERDRAFT", "DEBIT", 3), ("CIRCULATION", "CREDIT", 5)]
    assert (owed(back), below) == (mirrored(award), (-3, 0, 3))
    assert legs(next_award)[2:] == [("MEMBER", "DEBIT", 3), ("OVERDRAFT", "CREDIT", 3)]
    assert day.balance() == (1, 0, 0)


@pytest.mark.parametrize("posted", [True, False], ids=["posted", "not posted yet"])
@pytest.mark.parametrize("negative", [True, False], ids=["debts", "no debts"])
def test_what_ended_unused_is_neither_taken_back_nor_owed(*, negative: bool, posted: bool) -> None:
    """60 were spent and 40 ended, for which GRO has its share: of other points, or of a debt, 60 come back."""
    ending = terms(currency("TEL", explicit=True), breakage=5_000, negative=negative)
    day = Day(coalition(currencies=[ending]))
    award = day.do(earn("100 TEL", "GRO", expires=NOON + HOUR))
    day.do(redeem("60 TEL", "CAF"))
    day.pass_time(HOUR)
    if posted:
        day.do(expire())
    day.do(earn("70 TEL", "CAF"))

    back = day.do(reverse(award))

    assert owed(back) == [("TEL", "GRO", "REVERSAL", 720_000)]
    assert day.lots()[1:] == [(10, 0)]
    with pytest.raises(InsufficientPoints):
        day.do(reverse(award))
    if not posted:
        assert owed(day.do(expire())) == [("TEL", "GRO", "BREAKAGE", 240_000)]


def test_an_award_that_ended_whole_is_not_reversed_even_where_debts_are_allowed() -> None:
    """The funder has its share of the price, and not the price on top of it; the member used nothing."""
    ending = terms(currency("TEL", explicit=True), breakage=5_000, negative=True)
    day = Day(coalition(currencies=[ending]))
    award = day.do(earn("100 TEL", "GRO", expires=NOON + HOUR))
    day.pass_time(HOUR)
    day.do(expire())

    with pytest.raises(InsufficientPoints) as caught:
        day.do(reverse(award))

    assert (caught.value.data["available"], day.balance()) == ("0", (0, 0, 0))


def test_points_that_came_back_to_a_lot_and_ended_then_are_unused_too() -> None:
    """All spent, all returned after the end, all ended: nothing is left to take back."""
    ending = terms(currency("TEL", explicit=True), breakage=5_000, negative=True)
    day = Day(coalition(currencies=[ending]))
    award = day.do(earn("100 TEL", "GRO", expires=NOON + HOUR))
    used = day.do(redeem("60 TEL", "CAF"))
    day.pass_time(HOUR)
    day.do(expire())
    day.do(reverse(used))
    day.do(expire())

    with pytest.raises(InsufficientPoints):
        day.do(reverse(award))


def test_a_reversed_use_pays_what_the_member_owes() -> None:
    """The points go back to their lot and out of it again."""
    day = Day(owing())
    award = day.do(earn("5 TEL", "GRO"))
    used = day.do(redeem("5 TEL", "CAF"))
    day.do(reverse(award))

    day.do(reverse(used))

    assert (day.balance(), day.lots()) == ((0, 0, 0), [(0, 0)])


def test_a_conversion_is_undone_whole_on_both_sides() -> None:
    """The minted lot burnt, the burnt lots whole, and every debt the other way round at its own price."""
    day = Day(coalition(BANK_TO_AIRLINE), member(BNK=[lot(60_000), lot(60_000)]))
    converted = day.do(convert("100 000 BNK", "AIR", by="BNK"))

    back = day.do(reverse(converted))

    assert owed(back) == mirrored(converted)
    assert [(one.points_units, one.price_micros) for one in back.obligations] == [(3_300, 55_000), (0, 0), (0, 0)]
    assert (day.balance("AIR"), day.lots("BNK")) == ((0, 0, 0), [(60_000, 0), (60_000, 0)])


@pytest.mark.parametrize("use", ["spend", "hold", "expire"])
def test_a_conversion_of_which_a_point_is_gone_stays(use: str) -> None:
    """Spent, reserved, or past its end: though the member has other points of the currency."""
    world = coalition(BANK_TO_AIRLINE, currencies=[currency("AIR", days=1)])
    day = Day(world, member(BNK=6_000))
    converted = day.do(convert("6 000 BNK", "AIR", by="BNK"))
    if use == "expire":
        day.pass_time(timedelta(days=1))
    day.do(earn("500 AIR", "GRO"))
    if use != "expire":
        day.do({"spend": redeem("1 AIR", "CAF"), "hold": hold("1 AIR")}[use])

    with pytest.raises(InsufficientPoints) as caught:
        day.do(reverse(converted))

    assert caught.value.data["requested"] == "200"


def test_a_conversion_is_not_reversed_in_part() -> None:
    """All of it said in points or by a share is not a part."""
    day = Day(coalition(BANK_TO_AIRLINE), member(BNK=6_000))
    converted = day.do(convert("6 000 BNK", "AIR", by="BNK"))

    for part in (reverse(converted, 3_000), reverse(converted, keep=(1, 2))):
        with pytest.raises(NotReversible):
            day.do(part)
    day.do(reverse(converted, keep=(0, 2)))

    assert day.balance("BNK") == (6_000, 0, 0)
