"""The most that can settle when an item settles whole or not at all: a choice among items, left to two solvers.

First CP-SAT, which reckons in integers and is done with most queues at once. Then HiGHS, whose cuts prove what CP-SAT
cannot: queues whose debtors have hardly anything. What is open even then CP-SAT tries to improve, in many ways in turn.
No solver is believed about a choice, that is added up; about a proof each is believed as far as its module says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from settlement.liquidity import cp_sat, highs
from settlement.liquidity.model import Choice
from settlement.liquidity.preparing import prepare
from settlement.liquidity.program import Program
from settlement.netting.model import Obligation


@dataclass(frozen=True, slots=True)
class Effort:
    """When to stop looking for a proof. All of it counts work and not time: a busy machine gives the same answer.

    first, listed, last: of CP-SAT, in its own measure, one to two seconds of a core each; `listed` instead of `first`
        where lists of combinations make a proof likely.
    cuts: of HiGHS, in the measure its module tells, 200 000 to 300 000 in a second of a core.
    """

    first: float = 1.0
    listed: float = 10.0
    cuts: int = 5_000_000
    last: float = 5.0

    def times(self, factor: int) -> Effort:
        """So many times the effort."""
        return Effort(self.first * factor, self.listed * factor, self.cuts * factor, self.last * factor)


USUAL = Effort()
"""Proves most queues of a few hundred items in a second.

The others it gives up, each independent part of a queue by itself, after the same work. That takes about a minute of a
core; on a slow one 70 seconds were seen.
"""


def settle_whole(items: Sequence[Obligation], funds: Mapping[str, int], effort: Effort = USUAL) -> Choice:
    """Choose the items whose sum is largest. The answer does not depend on the order of items with given ids.

    The ceiling is what was proven; where the proof takes more than the effort, the choice may fall short of it.

    Raises:
        AmountsTooLarge: the items to be chosen among sum to more than the solver can take.
    """
    certain, programs = prepare(items, funds)
    settled = {item.id: item.amount for item in certain}
    ceiling = sum(settled.values())
    for program in programs:
        counts, most = _choose(program, effort)
        settled |= {item.id: item.amount for item in program.items(counts)}
        ceiling += most * program.unit
    return Choice(settled, ceiling)


def _choose(program: Program, effort: Effort) -> tuple[Sequence[int], int]:
    """How many of each lot, and the most any choice is worth, in units."""
    best: Sequence[int] = [0] * len(program.lots)
    most = program.ceiling
    steps: tuple[Callable[[], tuple[list[int] | None, int]], ...] = (
        lambda: cp_sat.prove(program, effort.listed if program.narrow else effort.first),
        lambda: highs.prove(program, effort.cuts),
        lambda: cp_sat.improve(program, best, effort.last),
    )
    for step in steps:
        counts, proven = step()
        most = min(most, proven)
        if counts is not None and program.allows(counts) and program.value(counts) > program.value(best):
            best = counts
        assert program.value(best) <= most, f"a choice is worth {program.value(best)}, proven is {most} at most"
        if program.value(best) == most:
            break
    return best, most
