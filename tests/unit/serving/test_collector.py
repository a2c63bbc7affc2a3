"""When the garbage collector looks: after many calls, and now and then at what is older."""

import gc

import pytest

from exchange.serving import collector
from exchange.serving.collector import Collector

ENOUGH = 10_000


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Generations looked at, in their order."""
    seen: list[int] = []
    monkeypatch.setattr(gc, "collect", seen.append)
    return seen


def test_few_calls_leave_nothing_worth_a_look(looks: list[int]) -> None:
    """Batches of a thousand are few calls: they must not pay for others."""
    tidied = Collector()

    for ended in range(0, ENOUGH, 100):
        tidied.tidy(ended)

    assert looks == []


def test_many_calls_are_tidied_after_and_older_things_seldom(looks: list[int]) -> None:
    """Every look at the young, each sixteenth at what outlived one, each 256th at everything."""
    tidied = Collector()

    for look in range(1, 257):
        tidied.tidy(look * ENOUGH)

    assert len(looks) == 256
    assert [place for place, generation in enumerate(looks, 1) if generation] == list(range(16, 257, 16))
    assert [place for place, generation in enumerate(looks, 1) if generation == 2] == [256]


def test_what_serves_for_long_is_left_alone() -> None:
    """Being calm freezes what is there and raises the thresholds."""
    before = gc.get_threshold()
    try:
        Collector.calm()

        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == collector.SELDOM
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
