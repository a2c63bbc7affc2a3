"""When what a scenario file began falls due, though the sandbox's clock ran on meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from exchange.scenario.dues import Dues
from exchange.scenario.model import Currency, Expiry, Movement

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATE = timedelta(seconds=2)


def dues() -> Dues:
    """Of a currency whose points last thirty days, and of one whose points end never."""
    return Dues(
        [
            Currency("TEL", "TEL", (), Expiry("days", days=30), 0, negative_balances=False, line=1),
            Currency("AIR", "AIR", (), Expiry(), 0, negative_balances=False, line=2),
        ]
    )


def test_a_hold_has_ended_when_the_file_says() -> None:
    """Made two seconds late it ends two seconds late; before that the clock goes where the file wants it."""
    waiting = dues()
    waiting.add(Movement("hold", "CAF", "ada", "AIR", 5, 1, expires_in=600), NINE, NINE + LATE)

    assert waiting.reached_by(NINE + timedelta(seconds=599)) == NINE + timedelta(seconds=599)
    assert waiting.reached_by(NINE + timedelta(seconds=600)) == NINE + timedelta(seconds=600) + LATE
    assert waiting.reached_by(NINE + timedelta(seconds=601)) == NINE + timedelta(seconds=601)


def test_points_that_last_so_many_days_have_ended_when_the_file_says() -> None:
    """Awarded, or got for others."""
    waiting, month = dues(), timedelta(days=30)
    waiting.add(Movement("earn", "CAF", "ada", "TEL", 5, 1), NINE, NINE + LATE)
    waiting.add(Movement("convert", "AIR", "ada", "AIR", 5, 2, target="TEL"), NINE, NINE + 2 * LATE)

    assert waiting.reached_by(NINE + month) == NINE + month + 2 * LATE


def test_what_ends_at_an_instant_of_its_own_needs_no_more() -> None:
    """Nor does anything long after it has ended."""
    waiting, year = dues(), timedelta(days=365)
    waiting.add(Movement("earn", "CAF", "ada", "AIR", 5, 1, expires=NINE + year), NINE, NINE + LATE)
    waiting.add(Movement("earn", "CAF", "ada", "TEL", 5, 2), NINE, NINE + LATE)

    assert waiting.reached_by(NINE + year) == NINE + year
