"""What was wanted beside what was reached, for the measurements that stand by themselves: on screen and in JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from bench.results import Figure


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal and its figure; the median is what is judged.

    Attributes:
        goal: what is held against what.
        wanted: the figure to reach, or not to pass.
        reached: over all rounds.
        at_most: the figure may not be passed; else it must be reached.
    """

    goal: str
    wanted: float
    reached: Figure
    at_most: bool = True

    @property
    def met(self) -> bool:
        """Whether it is good enough."""
        return self.reached.median <= self.wanted if self.at_most else self.reached.median >= self.wanted


def show(console: Console, goals: Sequence[Judged]) -> None:
    """A table: goal, figure with its spread, what was wanted, met or missed."""
    table = Table("goal", title="Goals; a ratio is taken within each round")
    for heading in ("reached", "least to greatest", "wanted"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for goal in goals:
        table.add_row(
            goal.goal,
            f"{goal.reached.median:,.2f}",
            f"{goal.reached.least:,.2f} to {goal.reached.greatest:,.2f}",
            f"{'≤' if goal.at_most else '≥'} {goal.wanted:g}",
            "[green]met[/]" if goal.met else "[red]missed[/]",
        )
    console.print(table)


def written(goals: Sequence[Judged]) -> list[dict[str, object]]:
    """The same for JSON."""
    return [asdict(goal) | {"met": goal.met} for goal in goals]
