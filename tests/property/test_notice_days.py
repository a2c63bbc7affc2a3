"""Notices of points about to end: whenever the work is done, each is made at most once, and never by an old mark."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from exchange.notices.rules import MARKS, span_to_notice

FIRST = date(2026, 1, 1)
LONG_AGO = date(1, 1, 1)


def told(ends: date, days_of_work: list[int]) -> list[tuple[int, date]]:
    """Which marks tell of points that end on a day, and when, if the work is done on these days."""
    through = dict.fromkeys(MARKS, LONG_AGO)
    notices = []
    for number in days_of_work:
        today = FIRST + timedelta(days=number)
        for days in MARKS:
            span = span_to_notice(days, today, through[days])
            if span is not None:
                if span.after < ends <= span.last:
                    notices.append((days, today))
                through[days] = span.last
    return notices


@given(st.integers(0, 120))
def test_done_every_day_each_mark_tells_on_its_very_day(number: int) -> None:
    """30, 7 and 1 days before; what ends sooner than a mark after the first day is told by the nearest mark."""
    ends = FIRST + timedelta(days=number)

    notices = told(ends, list(range(150)))

    on_time = [(days, ends - timedelta(days=days)) for days in MARKS if ends - timedelta(days=days) >= FIRST]
    late = [(min(days for days in MARKS if days > number), FIRST)] if 0 < number < 30 and number not in MARKS else []
    assert notices == late + on_time


@given(st.integers(0, 120), st.lists(st.integers(0, 150), max_size=40).map(sorted))
def test_done_whenever_no_mark_tells_twice_nor_after_the_next_one(number: int, days_of_work: list[int]) -> None:
    """However often, and with whatever pauses."""
    ends = FIRST + timedelta(days=number)

    notices = told(ends, days_of_work)

    assert len({days for days, _ in notices}) == len(notices)
    for days, on in notices:
        left = (ends - on).days
        assert max((mark for mark in MARKS if mark < days), default=0) < left <= days


@given(st.integers(0, 120), st.lists(st.integers(0, 150), max_size=40).map(sorted))
def test_nobody_is_left_untold_if_the_work_is_done_in_time(number: int, days_of_work: list[int]) -> None:
    """A mark tells if the work was done on any day between it and the next one."""
    ends = FIRST + timedelta(days=number)
    marks = {days for days, _ in told(ends, days_of_work)}

    for days in MARKS:
        sooner = max((mark for mark in MARKS if mark < days), default=0)
        assert (days in marks) == any(sooner < number - day <= days for day in days_of_work)
