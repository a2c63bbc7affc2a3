"""Laws of flows in a circle, whatever the size of the amounts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement import circulation
from settlement.circulation import AmountsTooLarge, Arc, best_circulation

NAMES = "ABCD"
ends = st.permutations(NAMES).map(lambda names: (names[0], names[1]))


def arcs(capacity_max: int) -> st.SearchStrategy[list[Arc]]:
    """A few ways between four places, with gains and losses."""
    one = st.builds(lambda pair, *rest: Arc(*pair, *rest), ends, st.integers(0, capacity_max), st.integers(-1, 3))
    return st.lists(one, min_size=1, max_size=9)


def gain(ways: Sequence[Arc], flows: Sequence[int]) -> int:
    """What a circulation is worth; asserted to be one."""
    kept = dict.fromkeys(NAMES, 0)
    for way, flow in zip(ways, flows, strict=True):
        assert 0 <= flow <= way.capacity
        kept[way.tail] -= flow
        kept[way.head] += flow
    assert not any(kept.values())
    return sum(way.gain * flow for way, flow in zip(ways, flows, strict=True))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ways=arcs(2**24))
def test_amounts_solved_in_two_parts_gain_as_much_as_in_one(monkeypatch: pytest.MonkeyPatch, ways: list[Arc]) -> None:
    """A solver that held far less than these amounts would come to the same."""
    whole = gain(ways, best_circulation(ways))

    with monkeypatch.context() as smaller:
        smaller.setattr(circulation, "SOLVER_MAX", 2**18)
        parted = gain(ways, best_circulation(ways))

    assert parted == whole


@settings(max_examples=60)
@given(ways=arcs(60), factor=st.sampled_from([2**58 + 1, 2**64, 10**20 - 1]))
def test_amounts_so_many_times_as_large_gain_so_many_times_as_much(ways: list[Arc], factor: int) -> None:
    """Far beyond 64 bits, to the unit."""
    large = [way._replace(capacity=way.capacity * factor) for way in ways]

    assert gain(large, best_circulation(large)) == factor * gain(ways, best_circulation(ways))


def test_what_not_even_parts_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, never wrapped."""
    monkeypatch.setattr(circulation, "SOLVER_MAX", 8)

    with pytest.raises(AmountsTooLarge) as refusal:
        best_circulation([Arc("A", "B", 1023, 1), Arc("B", "A", 1023, 1), Arc("A", "B", 1000, 2)])

    assert refusal.value.total > 8
