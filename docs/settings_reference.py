"""What docs/catalogue.py writes of settings: their table in docs/operations.md, from exchange/config.py."""
# A script beside the pages it writes, in no package.
# ruff: noqa: INP001

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from exchange.config import PREFIX, Settings

DOCS = Path(__file__).resolve().parent
CONFIG = DOCS.parent / "exchange" / "config.py"
TABLE_BEGINS = "<!-- settings: written by docs/catalogue.py -->"
TABLE_ENDS = "<!-- end of settings -->"


def settings_table() -> str:
    """The table of settings, markers included."""
    meanings = dict(_meanings())
    lines = [TABLE_BEGINS, "", "| variable | default | values | meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {_values(field)} | {meanings[name]} |")
    return "\n".join([*lines, "", TABLE_ENDS])


def operations_page() -> str:
    """The text of docs/operations.md with its table as it should be."""
    present = (DOCS / "operations.md").read_text(encoding="utf-8")
    before, _, rest = present.partition(TABLE_BEGINS)
    _, found, after = rest.partition(TABLE_ENDS)
    assert found, f"docs/operations.md has lost its markers {TABLE_BEGINS} and {TABLE_ENDS}"
    return before + settings_table() + after


def _meanings() -> Iterator[tuple[str, str]]:
    """The text below each field of Settings."""
    tree = ast.parse(CONFIG.read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            yield field.target.id, str(text.value.value)


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _values(field: Any) -> str:
    """Bounds and choices, as far as the type says them."""
    if all(isinstance(choice, str) for choice in get_args(field.annotation) or [None]):
        return " ".join(f"`{choice}`" for choice in get_args(field.annotation))
    if field.annotation is bool:
        return "`true` `false`"
    words = {"ge": "from", "gt": "above", "le": "to"}
    bounds = [
        f"{word} {getattr(bound, name):,}".replace(",", " ")
        for name, word in words.items()
        for bound in field.metadata
        if hasattr(bound, name)
    ]
    return " ".join(bounds)
