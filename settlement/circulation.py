"""Flows in a circle: the one place that asks OR-tools for a best circulation of whole amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CAPACITY_MAX = 2**62
"""What may flow into, or out of, one place for the solver's 64-bit integers to hold it."""


class AmountsTooLarge(Exception):
    """Sums beyond what the solver's integers hold; `name` and `total` say whose and how much."""

    reason = "AMOUNTS_TOO_LARGE"

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        super().__init__(f"the amounts of {name} sum to {total}, above the {CAPACITY_MAX} this calculation can take")


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

    Raises:
        AmountsTooLarge: the capacities into or out of one place exceed CAPACITY_MAX.
    """
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    _refuse_overflow(arcs)
    places = sorted({place for arc in arcs for place in (arc.tail, arc.head)})
    number = {place: index for index, place in enumerate(places)}
    flow = SimpleMinCostFlow()
    for arc in arcs:
        flow.add_arc_with_capacity_and_unit_cost(number[arc.tail], number[arc.head], arc.capacity, -arc.gain)
    status = flow.solve()
    assert status == flow.OPTIMAL, f"sending nothing is always possible, yet the solver says {status}"
    return [int(flow.flow(index)) for index in range(len(arcs))]


def _refuse_overflow(arcs: Sequence[Arc]) -> None:
    outward: dict[str, int] = {}
    inward: dict[str, int] = {}
    for arc in arcs:
        outward[arc.tail] = outward.get(arc.tail, 0) + arc.capacity
        inward[arc.head] = inward.get(arc.head, 0) + arc.capacity
    for totals in (outward, inward):
        for name, total in totals.items():
            if total > CAPACITY_MAX:
                raise AmountsTooLarge(name, total)
