"""When transfers may leave: never while something could come that would look at them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from exchange.retention.model import Content, Part, Surroundings
from exchange.retention.rules import hindrances
from exchange.retention.sums import Sums, first_difference

ENDED = datetime(2027, 1, 1, tzinfo=UTC)
PART = Part("transfers_2026", UUID(int=1), UUID(int=2), ENDED)
CONTENT = Content(transfers=9, last_sequence=8_000, last_window_no=365, last_occurred_at=ENDED - timedelta(hours=1))
DONE = Surroundings(
    now=ENDED + timedelta(days=1_200),
    earlier_parts=0,
    open_window_no=1_500,
    open_holds=0,
    open_conversions=0,
    unfinished_closings=0,
    event_horizon=8_000,
    statements_from=ENDED,
)
KEEP = timedelta(days=1_096)


def test_what_nothing_needs_may_leave() -> None:
    """However much is done with what came later."""
    assert hindrances(PART, CONTENT, DONE, KEEP) == []


@pytest.mark.parametrize(
    ("named", "around"),
    [
        ("earlier partitions", {"earlier_parts": 1}),
        ("kept 1096 days", {"now": ENDED + KEEP - timedelta(seconds=1)}),
        ("window 365 is open", {"open_window_no": 365}),
        ("2 holds", {"open_holds": 2}),
        ("1 conversions", {"open_conversions": 1}),
        ("3 closed memberships", {"unfinished_closings": 3}),
        ("events up to place 8000", {"event_horizon": 7_999}),
        ("member statements", {"statements_from": CONTENT.last_occurred_at}),
        ("member statements", {"statements_from": None}),
        ("of 1 months were begun", {"unfinished_months": 1}),
        ("a dispute", {"others": ("a dispute",)}),
    ],
)
def test_each_thing_that_could_still_look_at_it_keeps_it(named: str, around: dict[str, object]) -> None:
    """By itself, and named."""
    (found,) = hindrances(PART, CONTENT, DONE._replace(**around), KEEP)  # type: ignore[arg-type]

    assert named in found


def test_an_empty_partition_waits_for_its_turn_and_its_time_only() -> None:
    """Nobody can ask for what it does not have."""
    around = DONE._replace(open_window_no=1, event_horizon=0, statements_from=None)

    assert hindrances(PART, CONTENT._replace(transfers=0), around, KEEP) == []
    assert len(hindrances(PART, CONTENT._replace(transfers=0), around._replace(now=ENDED, earlier_parts=1), KEEP)) == 2


def test_clocks_that_disagree_make_no_id_of_a_time_that_has_left() -> None:
    """However short the keeping time: a day has to pass."""
    assert hindrances(PART, CONTENT, DONE._replace(now=ENDED + timedelta(hours=23)), timedelta(0))


def test_an_archive_comes_to_what_its_lines_say() -> None:
    """Each side of each account, lots by what is in them, held of them and ended, and pairs of a window."""
    sums = Sums()
    legs = [
        {"account": 1, "side": 1, "currency_no": 1, "units": 30, "account_sequence": 4, "lot_id": "a"},
        {"account": 3, "side": 2, "currency_no": 1, "units": 30, "account_sequence": 4, "lot_id": "a"},
        {"account": 2, "side": 1, "currency_no": 2, "units": 5, "account_sequence": None, "lot_id": None},
        {"account": 4, "side": 2, "currency_no": 2, "units": 5, "account_sequence": 9, "lot_id": None},
    ]
    owed = [{"kind": 1, "debtor_no": 1, "creditor_no": 2, "currency_code": "CNY", "micros": 7}] * 2
    sums.add({"kind": 7, "member_id": "m", "window_no": 3, "legs": legs, "obligations": owed})
    sums.add({"kind": 11, "member_id": "m", "window_no": 3, "legs": legs[:1], "obligations": []})

    assert sums.accounts == {("m", 1): [-60, 30, 0, 2], ("m", 2): [5, 0, -5, 1]}
    assert sums.lots == {"a": [-60, 30, 30]}
    assert sums.pairs == {(3, 1, 2, "CNY", 1): [14, 2]}
    assert sums.currencies == {2: 5}


def test_the_first_difference_is_told_in_words() -> None:
    """What differs, what is missing on either side; what comes to nothing may be missing."""
    assert first_difference("lot", {"a": [1, 2]}, {"a": (1, 2)}) is None
    assert "the archive comes to (1, 2), the checkpoint says (1, 3)" in str(
        first_difference("lot", {"a": [1, 2]}, {"a": (1, 3)})
    )
    assert first_difference("lot", {"a": [0, 0]}, {}) is not None
    assert first_difference("lot", {"a": [0, 0]}, {}, skip_nothing=True) is None
    assert first_difference("lot", {}, {"a": (0, 1)}) is not None
