"""Which combinations of what a debtor pays and receives come out even, where they are so few that they can be listed.

Nobody ends below zero, and nobody ends with more than all have together. Where all have hardly anything, each debtor
has to be paid almost exactly what it pays, and of a million combinations of twenty items a few hundred do that. As sums
a solver tries them all; listed they need only fit each other. An item in no combination of its debtor, or of its
creditor, settles in no choice, and without it others become impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from settlement.circulation import SOLVER_MAX
from settlement.liquidity.program import Limit, Program

LISTED_MAX = 20_000
"""Longer lists cost the solver more than they save."""

LISTED_SHARE_MAX = 1 / 16
"""Of all combinations. Where somebody has funds, a list of more than that tells a solver less than the sum does."""

_HALF_MAX = 2**17
"""Combinations of half of a debtor's items: all of one half are looked up among all of the other."""

_LOT_MAX = 100
"""Items alike; more are not counted out one by one."""

_Counts = npt.NDArray[np.int8]


def listed(program: Program) -> tuple[Program, set[int]]:
    """The program with the lists of the limits that have one, and the lots of which nothing can settle.

    Those lots are still in the program, but in no list.
    """
    sizes = [len(lot) for lot in program.lots]
    spare = sum(limit.at_most for limit in program.limits)
    possible = set(range(len(sizes)))
    lists: dict[int, list[tuple[int, ...]] | None] = {}
    waiting = set(range(len(program.limits)))
    while waiting:
        # The shortest first: what they rule out makes the others shorter.
        number = min(waiting, key=lambda each: (len(possible & program.limits[each].weights.keys()), each))
        waiting.remove(number)
        limit = program.limits[number]
        lots = [lot for lot in limit.weights if lot in possible]
        found = _even_combinations(limit, lots, sizes, spare)
        lists[number] = None if found is None else _in_full(limit, lots, found)
        ruled_out = (
            set() if found is None else {lot for lot, taken in zip(lots, found.T, strict=True) if not taken.any()}
        )
        possible -= ruled_out
        waiting |= {each for each, other in enumerate(program.limits) if ruled_out & other.weights.keys()}
    limits = [replace(limit, combinations=lists[number]) for number, limit in enumerate(program.limits)]
    return replace(program, limits=limits), set(range(len(sizes))) - possible


def _in_full(limit: Limit, lots: Sequence[int], found: _Counts) -> list[tuple[int, ...]]:
    """A count for each weight of the limit."""
    counts = np.zeros((len(found), len(limit.weights)), np.int8)
    place = {lot: at for at, lot in enumerate(limit.weights)}
    counts[:, [place[lot] for lot in lots]] = found
    return [tuple(row) for row in counts.tolist()]


def _even_combinations(limit: Limit, lots: Sequence[int], sizes: Sequence[int], spare: int) -> _Counts | None:
    """Every way to take of these lots that leaves the debtor with nothing below zero and no more than `spare`."""
    cut = _middle([sizes[lot] for lot in lots])
    size = sum(abs(weight) * sizes[lot] for lot, weight in limit.weights.items())
    if cut is None or size + spare > SOLVER_MAX:
        return None
    sums, counts = _all_of(limit, lots[:cut], sizes)
    others, other_counts = _all_of(limit, lots[cut:], sizes)
    order = np.argsort(others, kind="stable")
    first = np.searchsorted(others, limit.at_most - spare - sums, "left", sorter=order)
    found = np.searchsorted(others, limit.at_most - sums, "right", sorter=order) - first
    if found.sum() > LISTED_MAX or (spare and found.sum() > LISTED_SHARE_MAX * len(sums) * len(others)):
        return None
    # Taking nothing is always possible, so there is one.
    places = np.concatenate([np.arange(at, at + some) for at, some in zip(first, found, strict=True) if some])
    return np.hstack([np.repeat(counts, found, axis=0), other_counts[order[places]]])


def _middle(sizes: Sequence[int]) -> int | None:
    """Where to cut for halves of about as many combinations, if those are few enough."""
    if max(sizes, default=0) > _LOT_MAX:
        return None
    upto = [1]
    for size in sizes:
        upto.append(upto[-1] * (size + 1))
    cut = min(range(len(upto)), key=lambda place: max(upto[place], upto[-1] // upto[place]))
    return cut if max(upto[cut], upto[-1] // upto[cut]) <= _HALF_MAX else None


def _all_of(limit: Limit, lots: Sequence[int], sizes: Sequence[int]) -> tuple[npt.NDArray[np.int64], _Counts]:
    """What each combination of these lots takes from the debtor, and its counts."""
    sums = np.zeros(1, np.int64)
    counts = np.zeros((1, 0), np.int8)
    for lot in lots:
        taken = np.arange(sizes[lot] + 1)
        sums = (sums[:, None] + taken * limit.weights[lot]).ravel()
        counts = np.hstack([np.repeat(counts, len(taken), axis=0), np.tile(taken, len(counts))[:, None]]).astype(
            np.int8
        )
    return sums, counts
