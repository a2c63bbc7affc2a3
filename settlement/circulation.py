"""Flows in a circle: the one place that asks OR-tools for a best circulation of whole amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SOLVER_MAX = 2**62
"""What may flow into, or out of, one place for the solver's 64-bit integers to hold it."""


class AmountsTooLarge(Exception):
    """Sums beyond what the solver's integers hold; `name` and `total` say whose and how much."""

    reason = "AMOUNTS_TOO_LARGE"

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        super().__init__(f"the amounts of {name} sum to {total}, above the {SOLVER_MAX} this calculation can take")


class Arc(NamedTuple):
    """A way from one place to another: at most `capacity` units, each worth `gain`."""

    tail: str
    head: str
    capacity: int
    gain: int


def best_circulation(arcs: Sequence[Arc]) -> list[int]:
    """How much to send along each arc so that the gain is largest and every place sends what it receives.

    The same arcs in the same order give the same answer; where several are best, which one is the solver's choice, so
    callers put their arcs in an order of their own first.

    Amounts of any size are exact. What the solver's integers do not hold is solved from the top down: first how many
    times 2**bits, then what is left to gain with the rest. An improvement of the first has to use some of that rest,
    so no arc's flow has to change by more than the rests sum to, and the second amounts are small.

    Raises:
        AmountsTooLarge: both the arcs and the amounts are so many that not even their parts fit.
    """
    bits = max(0, max(_busiest(arcs)[1], 1).bit_length() - SOLVER_MAX.bit_length() + 1)
    if not bits:
        return _solved(arcs)
    coarse = [flow << bits for flow in _solved([arc._replace(capacity=arc.capacity >> bits) for arc in arcs])]
    change_max = sum(arc.capacity - (arc.capacity >> bits << bits) for arc in arcs)
    more, less = [], []
    for arc, flow in zip(arcs, coarse, strict=True):
        more.append(arc._replace(capacity=min(arc.capacity - flow, change_max)))
        less.append(Arc(arc.head, arc.tail, min(flow, change_max), -arc.gain))
    change = _solved(more + less)
    return [flow + change[i] - change[len(arcs) + i] for i, flow in enumerate(coarse)]


def _solved(arcs: Sequence[Arc]) -> list[int]:
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    name, most = _busiest(arcs)
    if most > SOLVER_MAX:
        raise AmountsTooLarge(name, most)
    places = sorted({place for arc in arcs for place in (arc.tail, arc.head)})
    number = {place: index for index, place in enumerate(places)}
    flow = SimpleMinCostFlow()
    for arc in arcs:
        flow.add_arc_with_capacity_and_unit_cost(number[arc.tail], number[arc.head], arc.capacity, -arc.gain)
    status = flow.solve()
    assert status == flow.OPTIMAL, f"sending nothing is always possible, yet the solver says {status}"
    return [int(flow.flow(index)) for index in range(len(arcs))]


def _busiest(arcs: Sequence[Arc]) -> tuple[str, int]:
    """Through which place the most may flow, and how much that is."""
    outward: dict[str, int] = {}
    inward: dict[str, int] = {}
    for tail, head, capacity, _ in arcs:
        outward[tail] = outward.get(tail, 0) + capacity
        inward[head] = inward.get(head, 0) + capacity
    return max(
        (item for totals in (outward, inward) for item in totals.items()), key=lambda item: item[1], default=("", 0)
    )
