"""Whether somebody can go round: cycles of conversions and what is left of a point at their end. Exact and pure.

A step multiplies: a cycle gains when the product of its steps is more than 1. What is usually done with logarithms and
shortest paths is done here with whole numbers, because the difference that matters may be one part in 10^18. A value is
a ratio as a pair of ints that is never reduced; two are compared crosswise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from exchange.money.limits import BASIS_POINTS
from exchange.promotions.model import Promotion
from exchange.rates.model import Pair, Rate

Ratio = tuple[int, int]
ONE: Ratio = (1, 1)


class Step(NamedTuple):
    """Each point of source becomes at most `received / used` points of target, by this rate."""

    source_no: int
    target_no: int
    received: int
    used: int
    rate: Rate


Cycle = Sequence[Step]
"""Steps each of which begins where the one before ends, the first where the last ends."""


def product(cycle: Iterable[Step]) -> Fraction:
    """How many points come back for one, at best."""
    whole = Fraction(1)
    for step in cycle:
        whole *= Fraction(step.received, step.used)
    return whole


def step_of(rate: Rate, promotions: Iterable[Promotion] = ()) -> Step:
    """What a rate gives at its best, with what promotions add to it: never less than any conversion gives.

    A bonus in points counts for most on the smallest conversion there is. Caps and budgets end a gain, and make none
    impossible: they do not count.
    """
    received, used = rate.best_gain
    share = sum(one.bonus_bps for one in promotions)
    points = sum(one.bonus_units for one in promotions)
    if share or points:
        gain = Fraction(received, used) * Fraction(BASIS_POINTS + share, BASIS_POINTS)
        gain += Fraction(points, rate.least_used)
        received, used = gain.numerator, gain.denominator
    shared = gcd(received, used)
    return Step(rate.source_no, rate.target_no, received // shared, used // shared, rate)


def best_of(steps: Iterable[Step]) -> list[Step]:
    """One step for each pair: the best that any tier's version gives, since a person may be of any tier."""
    best: dict[Pair, Step] = {}
    for step in steps:
        pair = (step.source_no, step.target_no)
        there = best.get(pair)
        if there is None or step.received * there.used > there.received * step.used:
            best[pair] = step
    return list(best.values())


def gaining_cycle(steps: Iterable[Step]) -> Cycle | None:
    """A cycle that returns more points than it took, None when there is none.

    Bellman and Ford's search for a negative cycle: every currency starts at 1 and is improved by the steps into it.
    Without a gaining cycle the improving comes to an end, and the values then prove it: no step improves any of them.
    With one it never ends, and soon a currency's value stems from itself: that is the cycle.
    """
    out = _by_source(steps)
    values: dict[int, Ratio] = {}
    came_by: dict[int, Step] = {}
    improved = set(out)
    while improved:
        improved = _improve(improved, out, values, came_by)
        cycle = _own_origin(came_by)
        if cycle is not None:
            return cycle
    return None


def closest_cycle(step: Step, steps: Iterable[Step]) -> Cycle | None:
    """The cycle through a step that loses least, None when no way leads back. Only where no cycle gains."""
    out = _by_source(steps)
    values: dict[int, Ratio] = {step.target_no: ONE}
    came_by: dict[int, Step] = {}
    improved = {step.target_no}
    while improved:
        improved = _improve(improved, out, values, came_by, beginning=False)
    if step.source_no not in values:
        return None
    way, here = [step], step.source_no
    while here != step.target_no:
        way.append(came_by[here])
        here = came_by[here].source_no
    return [step, *reversed(way[1:])]


def around(chosen: Iterable[Step], steps: Sequence[Step]) -> list[Step]:
    """The steps among currencies to which a chosen step leads and from which one can be reached again.

    Every cycle through a chosen step is made of these; a table of rates that mostly lead one way shrinks to very few.
    """
    chosen = list(chosen)
    ahead = _reached({step.target_no for step in chosen}, _neighbours((s.source_no, s.target_no) for s in steps))
    behind = _reached({step.source_no for step in chosen}, _neighbours((s.target_no, s.source_no) for s in steps))
    both = ahead & behind
    return [step for step in steps if step.source_no in both and step.target_no in both]


def _improve(
    sources: set[int],
    out: Mapping[int, Sequence[Step]],
    values: dict[int, Ratio],
    came_by: dict[int, Step],
    *,
    beginning: bool = True,
) -> set[int]:
    """One round: whatever the steps out of `sources` improve, which is given back."""
    improved: set[int] = set()
    for source in sources:
        have, of = values.get(source, ONE)
        for step in out.get(source, ()):
            received, used = have * step.received, of * step.used
            there = values.get(step.target_no, ONE if beginning else None)
            if there is None or received * there[1] > there[0] * used:
                values[step.target_no] = (received, used)
                came_by[step.target_no] = step
                improved.add(step.target_no)
    return improved


def _own_origin(came_by: Mapping[int, Step]) -> Cycle | None:
    """A cycle in where values came from. Each step in it was an improvement, so its product is more than 1."""
    clean: set[int] = set()
    for start in came_by:
        way: dict[int, None] = {}
        here = start
        while here in came_by and here not in clean and here not in way:
            way[here] = None
            here = came_by[here].source_no
        if here in way:
            return _cycle_at(here, came_by)
        clean.update(way)
    return None


def _cycle_at(start: int, came_by: Mapping[int, Step]) -> Cycle:
    steps = [came_by[start]]
    while steps[-1].source_no != start:
        steps.append(came_by[steps[-1].source_no])
    steps.reverse()
    # The same cycle is told the same way, wherever the search came upon it.
    first = min(range(len(steps)), key=lambda place: steps[place].source_no)
    return steps[first:] + steps[:first]


def _by_source(steps: Iterable[Step]) -> dict[int, list[Step]]:
    out: dict[int, list[Step]] = {}
    for step in steps:
        out.setdefault(step.source_no, []).append(step)
    return out


def _neighbours(pairs: Iterable[Pair]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for source, target in pairs:
        found.setdefault(source, []).append(target)
    return found


def _reached(starts: set[int], neighbours: Mapping[int, Sequence[int]]) -> set[int]:
    found, waiting = set(starts), list(starts)
    while waiting:
        for there in neighbours.get(waiting.pop(), ()):
            if there not in found:
                found.add(there)
                waiting.append(there)
    return found
