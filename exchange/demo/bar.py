"""How far the day is, on stderr: so standard output stays free for the result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_REFRESHED = 100
"""Steps between updates of the bar: an update costs more than a movement."""


class Bar:
    """A line for each part of the day."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._steps = 0
        self._done = 0

    def begin(self, what: str, steps: int) -> None:
        """Another part of the day begins; it has so many steps."""
        self._task = self._progress.add_task(what, total=steps)
        self._steps, self._done = steps, 0

    def advance(self) -> None:
        """One step is done."""
        assert self._task is not None, "a part has begun"
        self._done += 1
        if self._done % _REFRESHED == 0 or self._done == self._steps:
            self._progress.update(self._task, completed=self._done)


@contextmanager
def shown_bar() -> Iterator[Bar]:
    """A bar for the duration of the block."""
    columns = (
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bar(progress)
