"""Months of the coalition's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from exchange.statements.model import CurrencySummary, Month


def test_a_month_has_neighbours_also_over_the_year() -> None:
    """January follows December."""
    assert Month(2026, 1).before == Month(2025, 12)
    assert Month(2025, 12).after == Month(2026, 1)
    assert [Month(2026, number).after.before for number in range(1, 13)] == [Month(2026, n) for n in range(1, 13)]


def test_a_month_begins_and_ends_where_the_coalition_lives() -> None:
    """At midnight in Shanghai, when in UTC it is still the day before."""
    march, shanghai = Month(2026, 3), ZoneInfo("Asia/Shanghai")

    assert march.begins(shanghai).astimezone(UTC) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert march.ends(shanghai) == march.after.begins(shanghai)


def test_a_month_is_written_with_four_and_two_digits() -> None:
    """And read back from that."""
    assert Month.named("2026-03") == Month(2026, 3) == Month.of(date(2026, 3, 31))
    assert Month(2026, 3).name == "2026-03"


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-3", "2026-00", "2026-13", "202603", "2026-03-01", "1999-12", "2200-01", "\uff12026-03", "x"],
)
def test_whatever_else_is_no_month(text: str) -> None:
    """Nor one that is not of our time."""
    with pytest.raises(ValueError, match=r".*"):
        Month.named(text)


def test_statements_tie_when_members_have_what_is_in_circulation() -> None:
    """Held points are theirs too."""
    assert CurrencySummary("TEL", 1, 0, 10, 0, 7, 3, 10).ties
    assert not CurrencySummary("TEL", 1, 0, 10, 0, 7, 3, 11).ties
