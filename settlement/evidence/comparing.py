"""A pack held against another: what differs, and what only came later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from settlement.evidence.ages import too_old_for
from settlement.evidence.model import Damaged, Difference
from settlement.evidence.parts import PARTS, Files, Part
from settlement.evidence.reading import Pack, Row


class Compared(NamedTuple):
    """Differences, and what the other knows that the pack could not know yet."""

    differences: Sequence[Difference]
    later: Sequence[str]


def compare(pack: Pack, live: Pack) -> Compared:
    """Hold every part of a pack against the other's. Parts that grow may have more lines there.

    Raises:
        Damaged: the pack's manifest cannot be read.
    """
    differences: list[Difference] = []
    later: list[str] = []
    without = too_old_for(pack)
    for part in PARTS:
        if part.name in without:
            lines = sum(1 for _ in live.rows(part.name))
            later += [f"{part.name}: {lines} in the database, of which a pack this old says nothing"] if lines else []
            continue
        try:
            found, more = _compared(part, pack, live)
            differences += found
            later += [f"{part.name}: {more} more in the database"] if more else []
        except Damaged as damaged:
            differences.append(damaged.difference)
    return Compared(differences, later)


def _compared(part: Part, pack: Pack, live: Pack) -> tuple[list[Difference], int]:
    here, there = set(pack.names()), set(live.names())
    if isinstance(part, Files):
        own = sorted(name for name in here if name.startswith(part.name))
        gone = [Difference(name, 0, "", "there", "in the database") for name in own if name not in there]
        other = [
            Difference(name, 0, "content", "other bytes", "those in the database")
            for name in own
            if name in there and pack.stored(name) != live.stored(name)
        ]
        return gone + other, len([name for name in there - here if name.startswith(part.name)])
    if (part.name in here) != (part.name in there):
        found = ("there", "missing") if part.name in here else ("missing", "there")
        return [Difference(part.name, 0, "", found[0], f"{found[1]} as in the database")], 0
    if part.name not in here or pack.stored(part.name) == live.stored(part.name):
        return [], 0
    if not part.name.endswith(".csv"):
        return [*documents(part.name, pack.document(part.name), live.document(part.name))], 0
    if part.grows:
        return _grown(part.name, pack, live)
    return list(_lines(part.name, pack, live)), 0


def _grown(name: str, pack: Pack, live: Pack) -> tuple[list[Difference], int]:
    """Every line of the pack must be there; the database may have more."""
    known = {tuple(row.cells().values()) for row in live.rows(name)}
    differences, lines = [], 0
    for row in pack.rows(name):
        lines += 1
        if tuple(row.cells().values()) not in known:
            said = ", ".join(row.cells().values())
            differences.append(Difference(name, row.line, "", said, "a line of the database"))
    return differences, max(len(known) - lines, 0)


def _lines(name: str, pack: Pack, live: Pack) -> Iterator[Difference]:
    for here, there in zip_longest(pack.rows(name), live.rows(name)):
        if here is None or there is None:
            row: Row = here or there
            what = ("a line", "the end, as in the database") if here else ("the end", "a line, as in the database")
            yield Difference(name, row.line, "", *what)
            return
        ours, theirs = here.cells(), there.cells()
        for column in ours.keys() | theirs.keys():
            if ours.get(column) != theirs.get(column):
                expected = f"{theirs.get(column)} as in the database"
                yield Difference(name, here.line, column, str(ours.get(column)), expected)


def documents(part: str, here: object, there: object, path: str = "") -> Iterator[Difference]:
    """Where two documents differ, by the path to each figure."""
    if isinstance(here, dict) and isinstance(there, dict):
        for name in [*here, *(key for key in there if key not in here)]:
            below = f"{path}.{name}" if path else str(name)
            if name not in here or name not in there:
                found = ("there", "missing") if name in here else ("missing", "there")
                yield Difference(part, 0, below, *found)
            else:
                yield from documents(part, here[name], there[name], below)
    elif isinstance(here, list) and isinstance(there, list):
        if len(here) != len(there):
            yield Difference(part, 0, path, f"{len(here)} of them", f"{len(there)}")
        for place, (one, other) in enumerate(zip(here, there, strict=False)):
            yield from documents(part, one, other, f"{path}[{place}]")
    elif here != there:
        yield Difference(part, 0, path, str(here), str(there))
