"""The regression guard: a few short rounds, ratios against committed floors.

Times differ from machine to machine. What one thing costs beside another on the same machine differs far less, and the
floors are about half of what is reached where nothing can be compiled, which is slower: who falls below them has become
much slower, on any machine.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.results import GUARDED, Goal, Round

_FLOORS = Path(__file__).parent / "floors.json"
SCENARIOS = ("noop", "convert", "batch_1000", "orm", "pgbench_1", "pgbench_8", "pgbench_32", "raw_1")
"""What the guarded ratios are made of."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ratio beside its floor.

    Attributes:
        title: what is compared with what.
        floor: the least that is accepted.
        reached: the best of the rounds: a slow second of the machine is nobody's regression.
    """

    title: str
    floor: float
    reached: float

    @property
    def holds(self) -> bool:
        """Whether the floor is kept."""
        return self.reached >= self.floor


def floors() -> dict[str, float]:
    """The committed floors by the titles of their ratios."""
    read: dict[str, float] = json.loads(_FLOORS.read_text(encoding="utf-8"))
    return read


def verdicts(
    rounds: Sequence[Round], accepted: Mapping[str, float], guarded: Sequence[Goal] = GUARDED
) -> list[Verdict]:
    """Each guarded ratio beside its floor.

    Raises:
        KeyError: a ratio has no floor.
    """
    return [Verdict(goal.title, accepted[goal.title], max(map(goal.reached, rounds))) for goal in guarded]


def show(console: Console, found: Sequence[Verdict]) -> None:
    """A table: ratio, floor, whether it holds."""
    table = Table("ratio", "reached", "floor", "", title="Regression guard")
    for verdict in found:
        table.add_row(
            verdict.title,
            f"{verdict.reached:.2f}",
            f"{verdict.floor:.2f}",
            "holds" if verdict.holds else "[red]below[/red]",
        )
    console.print(table)
