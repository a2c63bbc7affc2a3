"""Stacks of calls as a flame graph in SVG, without any script: names show when pointed at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from zlib import crc32

Stacks = Mapping[tuple[str, ...], int]
"""How often each stack of calls was seen, the outermost call first."""

_WIDTH = 1200
_ROW = 16
_HEAD = 34
_NARROWEST = 0.002
"""Shares below are not drawn."""
_CHARACTER = 6.3
_FEWEST_CHARACTERS = 3
_STYLE = "text{font:11px ui-monospace,monospace;fill:#222}.title{font:600 15px system-ui,sans-serif}rect{stroke:#fff}"
_HUES = (("exchange/", 200), ("asyncpg/", 280), ("", 32))
"""Our own in blue, the driver in violet, everything else in orange."""


@dataclass(slots=True)
class Flame:
    """A call seen so often within its caller, and what it called in turn."""

    name: str
    count: int = 0
    within: dict[str, "Flame"] = field(default_factory=dict)


def flames(stacks: Stacks) -> Flame:
    """Stacks as a tree: what stands on the same callers is one flame."""
    root = Flame("all")
    for stack, count in stacks.items():
        root.count += count
        flame = root
        for name in stack:
            flame = flame.within.setdefault(name, Flame(name))
            flame.count += count
    return _below_branching(root)


def svg(title: str, root: Flame) -> str:
    """The drawing, outermost calls at the bottom."""
    boxes = list(_boxes(root, 0, 0.0, root.count))
    depth = 1 + max(row for row, *_ in boxes)
    height = _HEAD + depth * _ROW
    drawn = [_box(*box, depth) for box in boxes]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}">',
        f'<style>{_STYLE}</style><rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="8" y="22">{escape(title)}: {root.count} looks</text>',
        *drawn,
        "</svg>\n",
    ])  # fmt: skip


def _below_branching(root: Flame) -> Flame:
    """Without the frames at the bottom that every stack shares: they say nothing."""
    while len(root.within) == 1:
        (only,) = root.within.values()
        if only.count < root.count:
            break
        root = only
    return root


def _boxes(flame: Flame, row: int, left: float, whole: int) -> Iterator[tuple[int, float, float, str]]:
    share = flame.count / whole
    if share < _NARROWEST:
        return
    yield row, left, share, flame.name
    for name in sorted(flame.within):
        yield from _boxes(flame.within[name], row + 1, left, whole)
        left += flame.within[name].count / whole


def _box(row: int, left: float, share: float, name: str, depth: int) -> str:
    x, width, y = left * _WIDTH, share * _WIDTH, _HEAD + (depth - 1 - row) * _ROW
    characters = int(width / _CHARACTER)
    shown = name if len(name) <= characters else name[: max(characters - 1, 0)] + "…"
    label = f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(shown)}</text>' if characters >= _FEWEST_CHARACTERS else ""
    return (
        f'<g><title>{escape(name)}: {share:.1%}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW}"'
        f' fill="{_colour(name)}"/>{label}</g>'
    )


def _colour(name: str) -> str:
    hue = next(hue for part, hue in _HUES if part in name)
    return f"hsl({hue},65%,{70 + crc32(name.encode()) % 16}%)"
