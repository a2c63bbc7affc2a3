"""Cells of a pack's tables as text and back: exact, and nothing a spreadsheet would run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from settlement.evidence.model import Cell

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def written(cell: Cell) -> str:
    """A cell as text: instants in UTC, None empty, text that a spreadsheet would run behind an apostrophe."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            return cell.astimezone(UTC).isoformat(timespec="microseconds")
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell
        case _:
            return str(cell)


def read(text: str) -> str:
    """The text of a cell without that apostrophe."""
    return text.removeprefix("'")


def document(plain: object) -> bytes:
    """A JSON document as a pack holds it: the same values, the same bytes."""

    def other(value: Any) -> str:
        return written(value)

    return (json.dumps(plain, ensure_ascii=False, indent=1, default=other) + "\n").encode()
