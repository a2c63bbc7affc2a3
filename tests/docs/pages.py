"""The project's pages as tests read them: fenced blocks, links, headings, and the tests they name."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DECISIONS = ROOT / "docs" / "adr"

PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "bench/**/*.md", "protos/**/*.md")
    for page in ROOT.glob(pattern)
)
"""Every page people read."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def name_of(page: Path) -> str:
    """A page's path from the project's folder, for the names of tests."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, kind: str) -> list[str]:
    """The fenced blocks of a kind, "python", in their order."""
    return [body for found, body in _FENCE.findall(page.read_text(encoding="utf-8")) if found == kind]


def links(page: Path) -> list[str]:
    """Where a page's links lead, those to other sites left out."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [target for target in _LINK.findall(text) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """What a link may name after "#": headings in lower case, punctuation dropped, words joined by dashes."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


def named_tests(page: Path) -> list[tuple[str, str]]:
    """(file, function) of the tests a page names; the function is empty where a whole file is meant."""
    return _TEST.findall(page.read_text(encoding="utf-8"))


def assert_shown(shown: Any, told: Any, path: str = "answer") -> None:
    """All that is shown is in what was told; "…" stands for any text."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in told, f"{path} has no {name}: {told}"
            assert_shown(value, told[name], f"{path}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(told), f"{path}: {told}"
        for place, value in enumerate(shown):
            assert_shown(value, told[place], f"{path}[{place}]")
    elif isinstance(shown, str):
        assert re.fullmatch(".+".join(map(re.escape, shown.split("…"))), told), f"{path} is {told}, not {shown}"
    else:
        assert told == shown, f"{path} is {told}, not {shown}"


@cache
def functions_of(file: str) -> frozenset[str]:
    """The functions a test file defines; none when there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
