"""What the protos' comments promise of each field, read from their text: descriptors carry no comments."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

PROTOS = Path(__file__).parents[2] / "protos"

_OPENS = re.compile(r"\s*(message|oneof|enum|service|rpc) (\w+).*\{$")
_FIELD = re.compile(r"\s*(?:repeated )?[\w.]+(?:<.+>)? (\w+) = \d+;$")


@cache
def comments() -> dict[str, str]:
    """Comment by full name of a field or oneof: "exchange.v1.PointsAmount.units"."""
    found: dict[str, str] = {}
    for path in sorted(PROTOS.rglob("*.proto")):
        _read(path.read_text(encoding="utf-8"), found)
    return found


def _read(text: str, found: dict[str, str]) -> None:
    match = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
    assert match is not None, "a proto without a package"
    package, scopes, said = match[1], list[tuple[str, str]](), ""
    for line in text.splitlines():
        if line.strip().startswith("//"):
            said += line.strip().removeprefix("//")
            continue
        if opens := _OPENS.match(line):
            if opens[1] == "oneof":
                found[".".join([package, *_messages(scopes), opens[2]])] = said.strip()
            scopes.append((opens[1], opens[2]))
        elif line.strip() == "}":
            scopes.pop()
        elif (field := _FIELD.match(line)) and _messages(scopes):
            found[".".join([package, *_messages(scopes), field[1]])] = said.strip()
        said = ""
    assert not scopes, "braces do not match"


def _messages(scopes: list[tuple[str, str]]) -> list[str]:
    return [name for kind, name in scopes if kind == "message"]


def is_required(full_name: str) -> bool:
    """Whether a request must have the field."""
    return "Required" in comments()[full_name]


def is_output_only(full_name: str) -> bool:
    """Whether a request cannot set the field."""
    return "Output only" in comments()[full_name]
