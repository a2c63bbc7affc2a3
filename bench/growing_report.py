"""What `bench.growing` measured, as a table, as JSON and as a chart; everything beside the smallest ledger's."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import judged
from bench.judged import Judged
from bench.results import Figure
from bench.samples import Sample

MEASURES = {
    "unary": "ConvertPoints, one a call",
    "redeem": "RedeemPoints of points in many lots",
    "bulk": "BatchTransfer of 1 000 conversions",
    "balances": "ListBalances",
    "statement": "ListStatementEntries, two lines",
    "statement since": "ListStatementEntries, from now on",
    "transfers": "ListTransfers of a member, two of them",
}
WITHIN = 1.15
"""How much more than the smallest ledger's a figure of a larger one may be."""
BARE_MAX = 1.5
"""How many times the bytes of a bare row a transfer may take."""
UNJUDGED = frozenset({"statement since"})
"""What grows by its nature: it adds up what came since the latest monthly statement."""

_WIDTH_MIN = 150
_WIDTH, _LABEL, _BAR_WIDTH, _ROW, _BAR, _HEAD = 960, 340, 420, 22, 14, 34
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}"
    ".bar{fill:#2a6f97}.limit{stroke:#b23a48;stroke-width:1.5;stroke-dasharray:4 3}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger.

    Attributes:
        size: transfers when measuring began.
        after: and when it ended, for what is measured posts.
        bytes_each: of a transfer, its key and its lot, indexes included, when measuring began.
        bytes_beside_bare: those beside the hand-written tables'.
        rounds: of each round, the samples by measure.
    """

    size: int
    after: int
    bytes_each: float
    bytes_beside_bare: float
    rounds: Sequence[Mapping[str, Sample]]

    def cost(self, measure: str) -> list[float]:
        """Microseconds of processor time of server and PostgreSQL for each operation, by round."""
        return [cost(each[measure]) for each in self.rounds]

    def waited(self, measure: str) -> float:
        """Milliseconds half of the calls took at most."""
        return statistics.median(each[measure].latency_ms["p50"] for each in self.rounds)


def cost(sample: Sample) -> float:
    """Microseconds of processor time of server and PostgreSQL for each operation."""
    return sum(sample.cpu_us.get(who, 0.0) for who in ("server", "postgres"))


def beside(row: Row, first: Row, measure: str) -> list[float]:
    """The cost beside that of the first ledger in the same round."""
    return [ours / theirs for ours, theirs in zip(row.cost(measure), first.cost(measure), strict=True)]


def failures(rows: Sequence[Row]) -> dict[str, int]:
    """Calls that were not answered OK, by measure and why."""
    found: dict[str, int] = {}
    for row in rows:
        for each in row.rounds:
            for measure, sample in each.items():
                for why, count in sample.failed.items():
                    name = f"{measure} at {row.size:,}: {why}"
                    found[name] = found.get(name, 0) + count
    return found


def goals(rows: Sequence[Row]) -> list[Judged]:
    """Of every larger ledger: what an operation costs beside the smallest one's, and bytes beside a bare row's."""
    found = []
    for row in rows[1:]:
        found += [
            Judged(f"{title}: {row.size:,} / {rows[0].size:,}", WITHIN, Figure.of(beside(row, rows[0], measure)))
            for measure, title in MEASURES.items()
            if measure not in UNJUDGED
        ]
    bytes_of = "bytes a transfer / bytes of a bare wide row"
    return found + [Judged(f"{bytes_of}: {row.size:,}", BARE_MAX, Figure.of([row.bytes_beside_bare])) for row in rows]


def show(rows: Sequence[Row], about: Mapping[str, str]) -> None:
    """Print it."""
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_MIN)
    rounds = len(rows[0].rounds)
    table = Table(
        title=f"Processor time as the ledger grows, median of {rounds} rounds; in brackets beside the smallest ledger"
    )
    table.add_column("what", no_wrap=True)
    for row in rows:
        table.add_column(f"{row.size:,} transfers (then {row.after:,})", justify="right", no_wrap=True)
    for measure, title in MEASURES.items():
        table.add_row(title, *(_cell(row, rows[0], measure) for row in rows))
    table.add_row("bytes a transfer with key, lot and indexes", *(_bytes(row) for row in rows))
    console.print(table)
    judged.show(console, goals(rows))
    for name, count in failures(rows).items():
        console.print(f"not OK: {name}, {count} times")
    console.print(" · ".join(f"{name} {value}" for name, value in about.items()), style="dim")


def _cell(row: Row, first: Row, measure: str) -> str:
    ratios = beside(row, first, measure)
    told = f"{statistics.median(row.cost(measure)):,.0f} µs, {row.waited(measure):.1f} ms"
    if row is first:
        return told
    return f"{told} ({statistics.median(ratios):.2f}; {min(ratios):.2f} to {max(ratios):.2f})"


def _bytes(row: Row) -> str:
    return f"{row.bytes_each:,.0f} ({row.bytes_beside_bare:.2f} of a bare row's)"


def write(
    folder: Path, rows: Sequence[Row], about: Mapping[str, str], postgres: Mapping[str, str], seconds: float
) -> None:
    """The JSON and the chart."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": about,
        "postgres": postgres,
        "seconds": seconds,
        "goals": judged.written(goals(rows)),
        "rows": [
            asdict(row) | {"cost_us": {name: row.cost(name) for name in MEASURES}}
            | {"beside_smallest": {name: beside(row, rows[0], name) for name in MEASURES}}
            for row in rows
        ],
    }  # fmt: skip
    (folder / "growing.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "growing.svg").write_text(_svg(rows), encoding="utf-8")


def _svg(rows: Sequence[Row]) -> str:
    """Bars: how many times what it costs in the smallest ledger; the dashed line is what is allowed."""
    panels = {
        title: [(row, statistics.median(beside(row, rows[0], name))) for row in rows]
        for name, title in MEASURES.items()
    }
    scale = _BAR_WIDTH / max(WITHIN, *(ratio for bars in panels.values() for _, ratio in bars))
    parts, top = [], 0
    for title, bars in panels.items():
        parts.append(f'<text class="title" x="16" y="{top + 22}">{escape(title)}</text>')
        for place, (row, ratio) in enumerate(bars):
            y = top + _HEAD + place * _ROW
            parts.append(
                f'<text x="{_LABEL - 12}" y="{y + 12}" text-anchor="end">{row.size:,}</text>'
                f'<rect class="bar" x="{_LABEL}" y="{y}" width="{ratio * scale:.1f}" height="{_BAR}"/>'
                f'<text x="{_LABEL + ratio * scale + 10:.1f}" y="{y + 12}">{ratio:.2f}</text>'
            )
        limit, bottom = _LABEL + WITHIN * scale, top + _HEAD + len(bars) * _ROW
        parts.append(f'<line class="limit" x1="{limit:.1f}" x2="{limit:.1f}" y1="{top + _HEAD - 6}" y2="{bottom}"/>')
        top = bottom + _ROW // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )
