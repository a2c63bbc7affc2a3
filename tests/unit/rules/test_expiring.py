"""Points that end unused: what ends, and which share of it its funder is owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exchange.directory.model import Currency, ExpiryKind
from exchange.money.limits import INT64_MAX
from exchange.refusals import AmountOverflow, NothingDue
from tests.unit.rules.days import HOUR, Day, expire, hold, legs, owed, release, terms
from tests.unit.rules.rulebook import (
    CURRENCY_NO,
    NOON,
    SECOND,
    SHANGHAI,
    coalition,
    currency,
    earn,
    lot,
    member,
    redeem,
)


def sharing(bps: int) -> Day:
    """A day in a coalition where funders of TEL get a share of what ends."""
    return Day(coalition(currencies=[terms(currency("TEL", explicit=True), breakage=bps)]))


def test_what_is_left_of_a_lot_ends_at_its_instant() -> None:
    """Not a second earlier; what was spent is not there to end, and what ends later stays."""
    day = Day(facts=member(TEL=[lot(5, expires=NOON + HOUR), lot(7, expires=NOON + 2 * HOUR)]))
    day.do(redeem("2 TEL", "CAF"))

    day.pass_time(HOUR - SECOND)
    with pytest.raises(NothingDue):
        day.do(expire())
    day.pass_time(SECOND)
    ended = day.do(expire())

    assert legs(ended) == [("MEMBER", "DEBIT", 3), ("CIRCULATION", "CREDIT", 3)]
    assert (day.balance(), day.lots(), owed(ended)) == ((7, 0, 0), [(0, 0), (7, 0)], [])


def test_what_has_ended_does_not_end_again() -> None:
    """Whoever comes second is told that nothing is left."""
    day = Day(facts=member(TEL=[lot(5, expires=NOON + HOUR)]))
    day.pass_time(HOUR)
    day.do(expire())

    with pytest.raises(NothingDue) as caught:
        day.do(expire())

    assert caught.value.data == {"currency": "currencies/TEL"}


def test_the_rulebooks_breakage() -> None:
    """Period B: 500 of L1 end, 40 % of 12 000 are the grocer's; L3 was the issuer's own."""
    day = sharing(4_000)
    june = NOON + HOUR
    day.do(earn("600 TEL", "GRO", expires=june))
    day.do(earn("900 TEL", "CAF", expires=june - SECOND))
    day.do(earn("500 TEL", "TEL", expires=june))
    day.do(redeem("1 000 TEL", "BNK"))
    day.pass_time(HOUR)

    ended = day.do(expire())

    assert owed(ended) == [("TEL", "GRO", "BREAKAGE", 2_400_000)]
    assert day.balance() == (0, 0, 0)


def test_each_funder_is_owed_one_sum_at_the_prices_its_lots_were_made_at() -> None:
    """Two lots of the grocer's at two prices and one of the café's."""
    day = sharing(2_500)
    day.do(earn("4 TEL", "GRO", expires=NOON + HOUR))
    day.do(earn("3 TEL", "CAF", expires=NOON + HOUR))
    dearer = currency("TEL", explicit=True).prices[0]._replace(issue_micros=20_000)
    day.world = coalition(currencies=[replace(terms(currency("TEL", explicit=True), breakage=2_500), prices=(dearer,))])
    day.do(earn("1 TEL", "GRO", expires=NOON + HOUR))
    day.pass_time(HOUR)

    ended = day.do(expire())

    assert sorted(owed(ended)) == [
        ("TEL", "CAF", "BREAKAGE", 9_000),
        ("TEL", "GRO", "BREAKAGE", 12_000 + 5_000),
    ]


@pytest.mark.parametrize(("bps", "micros"), [(1, 4), (3, 11), (0, 0), (10_000, 36_000)])
def test_a_share_is_rounded_half_up_to_the_micro_unit(bps: int, micros: int) -> None:
    """3 points x 12 000: one basis point is 3.6, three are 10.8; there is nothing smaller to owe."""
    day = sharing(bps)
    day.do(earn("3 TEL", "GRO", expires=NOON + HOUR))
    day.pass_time(HOUR)

    assert sum(one[3] for one in owed(day.do(expire()))) == micros


def test_held_points_end_when_they_are_given_back() -> None:
    """The hold keeps its promise; what is not held ends at once."""
    day = Day(facts=member(TEL=[lot(5, expires=NOON + HOUR)]))
    held = day.do(hold("3 TEL", lifetime=3 * HOUR))
    day.pass_time(HOUR)

    first = day.do(expire())
    day.do(release(held))
    second = day.do(expire())

    assert [legs(each)[0][2] for each in (first, second)] == [2, 3]


def test_points_end_though_their_issuer_is_suspended() -> None:
    """Time does not wait for the operator."""
    day = Day(facts=member(TEL=[lot(5, expires=NOON + HOUR)]))
    day.pass_time(HOUR)
    day.world = coalition(suspended=["TEL", "GRO"], currencies=[currency("TEL", suspended=True)])

    day.do(expire())

    assert day.balance() == (0, 0, 0)


def test_a_share_that_64_bits_do_not_hold_is_refused() -> None:
    """A mistake in the prices, not a debt."""
    day = Day(
        coalition(currencies=[terms(currency("TEL"), breakage=10_000)]),
        member(TEL=[lot(INT64_MAX, expires=NOON + HOUR)]),
    )
    day.pass_time(HOUR)

    with pytest.raises(AmountOverflow):
        day.do(expire())


def fiscal(month: int, day: int, grace: int = 0) -> Currency:
    """A currency whose points end with the fiscal year."""
    return replace(
        currency("TEL"),
        expiry_kind=ExpiryKind.FISCAL_YEAR,
        fiscal_year_end_month=month,
        fiscal_year_end_day=day,
        grace_months=grace,
    )


@pytest.mark.parametrize(
    ("year", "earned", "ends"),
    [
        (fiscal(3, 31), "2026-03-31 23:59:59", "2026-04-01"),
        (fiscal(3, 31), "2026-04-01 00:00:00", "2027-04-01"),
        (fiscal(3, 31, grace=3), "2026-03-31 12:00:00", "2026-07-01"),
        (fiscal(12, 31), "2026-12-31 23:59:59", "2027-01-01"),
        (fiscal(12, 31, grace=2), "2026-06-01 00:00:00", "2027-03-01"),
        (fiscal(2, 29), "2027-02-28 12:00:00", "2027-03-01"),
        (fiscal(2, 29), "2028-02-29 12:00:00", "2028-03-01"),
        (fiscal(2, 29), "2027-03-01 00:00:00", "2028-03-01"),
        (fiscal(1, 31, grace=1), "2026-01-05 00:00:00", "2026-03-01"),
        (fiscal(6, 30, grace=120), "2026-06-30 00:00:00", "2036-07-01"),
    ],
)
def test_points_end_with_their_fiscal_year_and_its_grace(year: Currency, earned: str, ends: str) -> None:
    """At midnight where the coalition lives, after the last day; a day the month does not have is its last."""
    moment = datetime.fromisoformat(earned).replace(tzinfo=SHANGHAI).astimezone(UTC)

    expires = year.expiry_of_lot(moment, SHANGHAI)

    assert expires == datetime.fromisoformat(ends).replace(tzinfo=SHANGHAI)


def test_an_award_of_a_fiscal_year_currency_ends_with_it() -> None:
    """And takes no expiry of its own."""
    day = Day(coalition(currencies=[fiscal(3, 31)]))

    day.do(earn("5 TEL", "GRO"))

    (made,) = day.facts.accounts[CURRENCY_NO["TEL"]].known.values()
    assert made.expires_at == datetime(2026, 4, 1, tzinfo=SHANGHAI)
