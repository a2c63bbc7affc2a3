"""The rates as bars, in SVG: unary calls and bulk on a scale of their own each, medians with least and greatest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench.results import Figure, Round, summary
from bench.scenarios import SCENARIOS

_PANELS = (
    (
        "One call, one transfer",
        (
            "noop_bare",
            "noop",
            "convert",
            "earn",
            "redeem",
            "hold",
            "capture",
            "duplicates",
            "hot_merchant",
            "hot_member",
            "two_processes",
            "overload",
            "convert_alone",
            "direct_alone",
            "orm",
        ),
    ),
    (
        "In bulk, and in PostgreSQL alone",
        ("batch_100", "batch_1000", "stream", "hordak", "pgbench_1", "pgbench_8", "pgbench_32", "raw_1", "raw_2"),
    ),
    ("What the load generator could take", ("ceiling", "noop_bare")),
)
_YARDSTICKS = frozenset(
    {
        "ceiling",
        "noop_bare",
        "noop",
        "direct_alone",
        "orm",
        "hordak",
        "pgbench_1",
        "pgbench_8",
        "pgbench_32",
        "raw_1",
        "raw_2",
    }
)
_TITLES = {each.name: each.title for each in SCENARIOS}

_WIDTH = 960
_LABEL_WIDTH = 340
_BAR_WIDTH = 480
_ROW = 30
_BAR = 18
_HEAD = 40
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}"
    ".ours{fill:#2a6f97}.other{fill:#b8c4cc}.range{stroke:#222;stroke-width:1.5}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with its title; `ours` is what is measured, else it is a yardstick."""

    title: str
    figure: Figure
    ours: bool


def write_svg(path: Path, rounds: Sequence[Round]) -> None:
    """Draw and write the chart of the scenarios."""
    panels = {
        f"{title}, per second": [
            Bar(_TITLES[name], summary(rounds, name).per_second, name not in _YARDSTICKS)
            for name in names
            if name in rounds[0]
        ]
        for title, names in _PANELS
    }
    write_panels(path, panels)


def write_panels(path: Path, panels: Mapping[str, Sequence[Bar]]) -> None:
    """Bars under one another, each panel on a scale of its own."""
    parts = []
    top = 0
    for title, bars in panels.items():
        parts.append(_panel(title, bars, top))
        top += _HEAD + _ROW * len(bars) + _ROW // 2
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n',
        encoding="utf-8",
    )


def _panel(title: str, bars: Sequence[Bar], top: int) -> str:
    scale = _BAR_WIDTH / max(bar.figure.greatest for bar in bars)
    rows = (_row(bar, scale, top + _HEAD + _ROW * place) for place, bar in enumerate(bars))
    return f'<text class="title" x="16" y="{top + 24}">{escape(title)}</text>{"".join(rows)}'


def _row(bar: Bar, scale: float, top: int) -> str:
    figure, middle = bar.figure, top + _BAR / 2
    length = figure.median * scale
    least, greatest = _LABEL_WIDTH + figure.least * scale, _LABEL_WIDTH + figure.greatest * scale
    kind = "ours" if bar.ours else "other"
    return (
        f'<text x="{_LABEL_WIDTH - 12}" y="{middle + 5}" text-anchor="end">{escape(bar.title)}</text>'
        f'<rect class="{kind}" x="{_LABEL_WIDTH}" y="{top}" width="{length:.1f}" height="{_BAR}"/>'
        f'<line class="range" x1="{least:.1f}" x2="{greatest:.1f}" y1="{middle}" y2="{middle}"/>'
        f'<text x="{max(greatest, _LABEL_WIDTH + length) + 10:.1f}" y="{middle + 5}">{figure.median:,.0f}</text>'
    )
