"""What `bench.retiring` measured: calls of posters beside the steps of a partition's leaving, as table, JSON, chart."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench import judged
from bench.chart import Bar, write_panels
from bench.judged import Judged
from bench.posters import AT_ONCE, IN_BATCH, Call, done_within
from bench.results import Figure

ALONE = "nothing leaves"
DETACHING = "detach"
LONGEST_MAX = 1.5
"""Of a call while the partition is detached, beside the longest of posting alone in the same round. Who waits for a
lock waits for all of the detaching, which is several times as long as a call."""
_MS = 1_000
_WIDTH_MIN = 120


class Span(NamedTuple):
    """What went on between two instants of time.monotonic."""

    what: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Beside:
    """What posters saw of a step.

    Attributes:
        seconds: it took.
        per_second: transfers, calls that reach into it or out of it by their share.
        p50_ms: half of the calls that were under way in it, if only in part, took so long at most.
        longest_ms: the longest of them.
    """

    seconds: float
    per_second: float
    p50_ms: float
    longest_ms: float

    @classmethod
    def of(cls, calls: Sequence[Call], spans: Sequence[Span], *, wholly: bool) -> "Beside":
        """One step, or several spans of the same taken together.

        With `wholly` only those calls count as waiting there that began and ended in it: what reaches into another step
        may have waited for that one.
        """
        seconds = sum(span.ends - span.begins for span in spans)
        done = sum(done_within(calls, span.begins, span.ends) for span in spans)
        waits = [
            (call.ended - call.began) * _MS for call in calls if any(_in(call, span, wholly=wholly) for span in spans)
        ]
        return cls(seconds, done / seconds, statistics.median(waits or [0.0]), max(waits, default=0.0))


def _in(call: Call, span: Span, *, wholly: bool) -> bool:
    if wholly:
        return span.begins <= call.began and call.ended <= span.ends
    return call.began < span.ends and call.ended > span.begins


@dataclass(frozen=True, slots=True)
class Round:
    """A partition that left.

    Attributes:
        transfers: that were in it.
        steps: by name, posting alone among them.
        refused: postings that were not done.
        looks: how often it was looked whether somebody waits for a table while it left.
        waiting: of these, how often somebody did.
    """

    transfers: int
    steps: Mapping[str, Beside]
    refused: int
    looks: int
    waiting: int

    @classmethod
    def of(cls, transfers: int, calls: Sequence[Call], spans: Sequence[Span], looks: Sequence[int]) -> "Round":
        """Put every call beside the steps it was under way in."""
        names = dict.fromkeys(span.what for span in spans)
        steps = {
            name: Beside.of(calls, [span for span in spans if span.what == name], wholly=name == ALONE)
            for name in names
        }
        refused = sum(call.refused for call in calls)
        return cls(transfers, steps, refused, len(looks), sum(each > 0 for each in looks))

    def beside_alone(self, name: str) -> float:
        """Transfers a second in a step beside those of posting alone."""
        return self.steps[name].per_second / self.steps[ALONE].per_second

    def longest_beside_alone(self, name: str) -> float:
        """The longest call under way in a step beside the longest of posting alone."""
        return self.steps[name].longest_ms / self.steps[ALONE].longest_ms


def rows(rounds: Sequence[Round]) -> list[dict[str, object]]:
    """Of every step: how long, how many a second, what calls waited; medians with least and greatest."""
    return [
        {
            "step": name,
            "seconds": asdict(Figure.of([each.steps[name].seconds for each in rounds])),
            "per_second": asdict(Figure.of([each.steps[name].per_second for each in rounds])),
            "beside_alone": asdict(Figure.of([each.beside_alone(name) for each in rounds])),
            "p50_ms": asdict(Figure.of([each.steps[name].p50_ms for each in rounds])),
            "longest_ms": asdict(Figure.of([each.steps[name].longest_ms for each in rounds])),
        }
        for name in rounds[0].steps
    ]


def goals(rounds: Sequence[Round]) -> list[Judged]:
    """Nobody waits for the detaching, nobody for a table, and nothing is refused."""
    longest = Figure.of([each.longest_beside_alone(DETACHING) for each in rounds])
    looks = sum(each.looks for each in rounds)
    waiting, refused = (
        Figure.of([float(sum(counts))])
        for counts in ([each.waiting for each in rounds], [each.refused for each in rounds])
    )
    return [
        Judged("longest call while a partition is detached / longest of posting alone", LONGEST_MAX, longest),
        Judged(f"looks, of {looks:,}, that found a poster waiting for a table", 0, waiting),
        Judged("postings refused", 0, refused),
    ]


def show(rounds: Sequence[Round], about: Mapping[str, str]) -> None:
    """Print it."""
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_MIN)
    table = Table(
        title=f"Posting beside the leaving of {rounds[0].transfers:,} transfers, median of {len(rounds)} partitions;"
        f" {AT_ONCE} callers, {IN_BATCH} conversions a call"
    )
    table.add_column("step", no_wrap=True)
    for heading in ("seconds", "transfers/s", "beside alone", "least to greatest", "call p50 ms", "longest call ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in rounds[0].steps:
        steps = [each.steps[name] for each in rounds]
        ratio = Figure.of([each.beside_alone(name) for each in rounds])
        table.add_row(
            name,
            f"{statistics.median(each.seconds for each in steps):,.2f}",
            f"{statistics.median(each.per_second for each in steps):,.0f}",
            f"{ratio.median:.2f}",
            f"{ratio.least:.2f} to {ratio.greatest:.2f}",
            f"{statistics.median(each.p50_ms for each in steps):,.0f}",
            f"{statistics.median(each.longest_ms for each in steps):,.0f}",
        )
    console.print(table)
    judged.show(console, goals(rounds))
    console.print(" · ".join(f"{name} {value}" for name, value in about.items()), style="dim")


def write(folder: Path, rounds: Sequence[Round], about: Mapping[str, str], postgres: Mapping[str, str]) -> None:
    """The JSON, every round included, and the chart."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": about,
        "postgres": postgres,
        "steps": rows(rounds),
        "goals": judged.written(goals(rounds)),
        "rounds": [asdict(each) for each in rounds],
    }
    (folder / "retiring.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_panels(
        folder / "retiring.svg",
        {
            "Transfers posted per second, while": _bars(rounds, "per_second"),
            "Longest call of posters, milliseconds, while": _bars(rounds, "longest_ms"),
        },
    )


def _bars(rounds: Sequence[Round], figure: str) -> list[Bar]:
    return [
        Bar(name, Figure.of([getattr(each.steps[name], figure) for each in rounds]), name != ALONE)
        for name in rounds[0].steps
    ]
