"""Cut-offs and pay days: holidays, conventions, clocks that are put forward and back, and the turn of the year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.calendar.books import UnknownBook, edition, is_open_by
from settlement.calendar.model import Convention, CurrencyCalendar, CutOff, Frequency
from settlement.calendar.rules import (
    NeverOpen,
    adjusted,
    cut_offs,
    next_cut_off,
    pay_day,
    pay_day_when_late,
)


def calendar(**differs: Any) -> CurrencyCalendar:
    """Daily at 18:00 in Shanghai, paid the next day banks are open in China, unless said."""
    agreed: dict[str, Any] = {
        "currency": "CNY",
        "time_zone": "Asia/Shanghai",
        "frequency": Frequency.DAILY,
        "cut_off": "18:00",
        "pay_lag_days": 1,
        "holidays": ("CN",),
    }
    return CurrencyCalendar(**agreed | differs)


def between(agreed: CurrencyCalendar, after: str, until: str) -> list[CutOff]:
    """Cut-offs after an instant and not after another."""
    span = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (after, until))
    return list(cut_offs(agreed, is_open_by(agreed), *span))


def days(found: list[CutOff]) -> list[str]:
    """Cut-off day and pay day: "2026-02-13 > 2026-02-14"."""
    return [f"{one.day} > {one.pay_day}" for one in found]


def test_days_on_which_banks_are_shut_are_passed_over() -> None:
    """Spring Festival 2026; the Saturday before it is worked to make up for it, and so is the Saturday after."""
    assert days(between(calendar(), "2026-02-12", "2026-03-03")) == [
        "2026-02-12 > 2026-02-13",
        "2026-02-13 > 2026-02-14",
        "2026-02-14 > 2026-02-24",
        "2026-02-24 > 2026-02-25",
        "2026-02-25 > 2026-02-26",
        "2026-02-26 > 2026-02-27",
        "2026-02-27 > 2026-02-28",
        "2026-02-28 > 2026-03-02",
        "2026-03-02 > 2026-03-03",
    ]


def test_a_span_begins_after_its_first_instant_and_holds_its_last() -> None:
    """So that no cut-off belongs to two windows, and none to neither."""
    before, at, after = "2026-03-03T09:59:59", "2026-03-03T10:00:00", "2026-03-03T10:00:01"

    assert [len(between(calendar(), *span)) for span in ((before, at), (at, after), (before, after))] == [1, 0, 1]


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        (Convention.FOLLOWING, ["2026-01-30", "2026-03-02", "2026-03-31"]),
        (Convention.MODIFIED_FOLLOWING, ["2026-01-30", "2026-02-27", "2026-03-31"]),
        (Convention.PRECEDING, ["2026-01-30", "2026-02-27", "2026-03-27"]),
        (Convention.UNADJUSTED, ["2026-01-30", "2026-02-28", "2026-03-30"]),
    ],
)
def test_a_day_that_is_shut_moves_by_its_convention(convention: Convention, expected: list[str]) -> None:
    """The 30th, or the month's last: a Saturday in February, in New York; Monday the 30th of March is made shut."""
    agreed = calendar(
        currency="USD",
        time_zone="America/New_York",
        holidays=("market:XNYS",),
        frequency=Frequency.MONTHLY,
        month_day=30,
        convention=convention,
        closed=(date(2026, 3, 30),),
    )

    found = [str(one.day) for one in between(agreed, "2026-01-15", "2026-04-15")]

    assert found == expected


def test_modified_conventions_stay_in_the_month() -> None:
    """The first of May 2026 and the weekend after it are shut in China; so is the end of January 2027, a weekend."""
    is_open = is_open_by(calendar())

    moved = {convention: str(adjusted(date(2026, 5, 1), convention, is_open)) for convention in Convention}

    assert moved == {
        Convention.FOLLOWING: "2026-05-06",
        Convention.MODIFIED_FOLLOWING: "2026-05-06",
        Convention.PRECEDING: "2026-04-30",
        Convention.MODIFIED_PRECEDING: "2026-05-06",
        Convention.UNADJUSTED: "2026-05-01",
    }
    assert str(adjusted(date(2027, 1, 31), Convention.MODIFIED_FOLLOWING, is_open)) == "2027-01-29"


def test_the_turn_of_the_year_takes_the_holidays_of_both_years() -> None:
    """New Year's Day 2028 is a Saturday, so New York's banks are shut on the last day of 2027 by the country's book."""
    agreed = calendar(
        currency="USD",
        time_zone="America/New_York",
        cut_off="17:00",
        holidays=("US",),
        frequency=Frequency.MONTHLY,
        month_day=31,
        convention=Convention.MODIFIED_FOLLOWING,
        pay_lag_days=2,
    )

    (last,) = between(agreed, "2027-12-15", "2028-01-15")

    assert (last.meant, last.day) == (date(2027, 12, 31), date(2027, 12, 30))
    assert last.pay_day == date(2028, 1, 4)
    assert last.at == datetime(2027, 12, 30, 22, tzinfo=UTC)


def test_a_weekly_cut_off_falls_on_its_weekday() -> None:
    """Fridays; Good Friday and Easter Monday are shut in TARGET, so that one comes on Tuesday."""
    agreed = calendar(
        currency="EUR",
        time_zone="Europe/Berlin",
        cut_off="16:00",
        holidays=("market:XECB",),
        frequency=Frequency.WEEKLY,
        weekday=5,
    )

    assert days(between(agreed, "2026-03-25", "2026-04-12")) == [
        "2026-03-27 > 2026-03-30",
        "2026-04-07 > 2026-04-08",
        "2026-04-10 > 2026-04-13",
    ]


def test_the_local_time_stays_when_the_clock_is_changed() -> None:
    """16:00 in Berlin is 15:00 UTC before the last Sunday of March and 14:00 after; back again in October."""
    agreed = calendar(time_zone="Europe/Berlin", cut_off="16:00", holidays=())

    hours = {str(one.day): one.at.hour for one in between(agreed, "2026-03-26", "2026-03-31")}
    autumn = {str(one.day): one.at.hour for one in between(agreed, "2026-10-22", "2026-10-27")}

    assert hours == {"2026-03-26": 15, "2026-03-27": 15, "2026-03-30": 14}
    assert autumn == {"2026-10-22": 14, "2026-10-23": 14, "2026-10-26": 15}


def test_a_time_that_never_strikes_or_strikes_twice_is_one_instant() -> None:
    """02:30 on the night the clock is put forward is 03:30; on the night it is put back it is the first of the two."""
    every_day = tuple(date(2026, month, day) for month, day in ((3, 29), (10, 25)))
    agreed = calendar(time_zone="Europe/Berlin", cut_off="02:30", holidays=(), open=every_day)

    (spring,) = between(agreed, "2026-03-28T12:00", "2026-03-29T12:00")
    (autumn,) = between(agreed, "2026-10-24T12:00", "2026-10-25T12:00")

    assert spring.at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert autumn.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_two_books_are_open_when_both_are() -> None:
    """The fourth of July is observed on a Friday in New York, where Frankfurt works."""
    agreed = calendar(currency="USD", time_zone="UTC", holidays=("US", "market:XECB"))

    assert [str(one.day) for one in between(agreed, "2026-07-02", "2026-07-07")] == ["2026-07-02", "2026-07-06"]


def test_a_window_closed_late_is_paid_later() -> None:
    """The lag runs from the day it really was closed, by the currency's own clock."""
    agreed = calendar()
    is_open = is_open_by(agreed)
    (missed,) = between(agreed, "2026-03-03", "2026-03-03T12:00")

    on_time = pay_day_when_late(missed, agreed, is_open, missed.at)
    late = pay_day_when_late(missed, agreed, is_open, datetime(2026, 3, 5, 17, tzinfo=UTC))

    assert (on_time, late) == (date(2026, 3, 4), date(2026, 3, 9))


@pytest.mark.parametrize("name", ["XX", "DE-XX", "market:NOWHERE", "cn", "CN;DE", "../CN", ""])
def test_a_book_there_is_not_is_unknown(name: str) -> None:
    """Whatever it is called."""
    with pytest.raises(UnknownBook):
        is_open_by(calendar(holidays=(name,)))


def test_a_calendar_under_which_banks_never_open_is_wrong() -> None:
    """Rather than looking for a day for ever."""
    with pytest.raises(NeverOpen):
        next_cut_off(calendar(frequency=Frequency.WEEKLY, weekday=1), lambda _: False, datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(NeverOpen):
        pay_day(date(2026, 3, 1), 0, lambda _: False)


def test_dates_say_which_edition_they_come_from() -> None:
    """A later release may know a holiday that this one does not."""
    assert edition().startswith("holidays 0.")


zones = st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "UTC"])
agreed_calendars = st.builds(
    calendar,
    time_zone=zones,
    frequency=st.sampled_from(Frequency),
    weekday=st.integers(1, 7),
    month_day=st.integers(1, 31),
    cut_off=st.sampled_from(["00:00", "02:30", "12:00", "23:59"]),
    convention=st.sampled_from(Convention),
    pay_lag_days=st.integers(0, 5),
    holidays=st.sampled_from([(), ("CN",), ("US", "market:XECB"), ("DE-BY",)]),
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds


@settings(deadline=None, max_examples=50)
@given(agreed_calendars, moments)
def test_every_cut_off_follows_the_one_before(agreed: CurrencyCalendar, start: datetime) -> None:
    """Asked one after the other, or all at once, they are the same; each is paid on an open day not before it."""
    is_open = is_open_by(agreed)
    one_by_one: list[CutOff] = []
    at = start
    for _ in range(3):
        one_by_one.append(next_cut_off(agreed, is_open, at))
        at = one_by_one[-1].at

    at_once = list(islice(cut_offs(agreed, is_open, start, at), 3))

    assert at_once == one_by_one
    for found in one_by_one:
        assert is_open(found.pay_day)
        assert found.pay_day >= found.day
        assert agreed.convention is Convention.UNADJUSTED or is_open(found.day)
