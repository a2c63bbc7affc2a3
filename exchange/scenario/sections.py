"""YAML read strictly: every key is asked for by name and kind, what nobody asked for is an error, each with its line.

Plain words are read as YAML 1.2 does, not 1.1: `NO` is a merchant and no falsehood, `010` and `12:30` are no numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import yaml

from exchange.yaml_loading import BoundedLoader

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER_LIKE = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS = {"true": True, "True": True, "false": False, "False": False}
_ALIKE = 0.75
"""How alike, by difflib's measure, a key must be to be taken for another one mistyped."""
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_DIGITS_MAX = len(str(INT64_MIN))
"""Longer than that no number of 64 bits is written; Python would take seconds over a million digits."""


class BadScenario(Exception):
    """A file that cannot be played as it is; the text names line and key."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


def read_text(file: Path) -> str:
    """A file's text.

    Raises:
        BadScenario: it is no UTF-8; with the line.
        OSError: the file cannot be read.
    """
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadScenario(raw.count(b"\n", 0, error.start) + 1, "not UTF-8 text") from error


def read_yaml(
    text: str, what: str = "a scenario is a mapping of keys such as coalition, merchants and events"
) -> Section:
    """The mapping a file consists of; `what` it should be, for whoever wrote something else.

    Raises:
        BadScenario: it is not YAML, or not one mapping; or its aliases stand for too much.
    """
    try:
        node = yaml.compose(text, Loader=BoundedLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadScenario(mark.line + 1 if mark else 1, f"not readable as YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise BadScenario(1, f"not readable as YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise BadScenario(1, "nested too deeply") from error
    if not isinstance(node, yaml.MappingNode):
        raise BadScenario(1, what)
    return Section(node, "")


class Section:
    """One mapping of the file. Ask for its keys, then `finish`: what is left over is unknown.

    A key with nothing or `null` behind it counts as left out. Every method raises BadScenario for a wrong kind of value
    and for a key that is left out and has no default.
    """

    def __init__(self, node: yaml.MappingNode, path: str) -> None:
        self.line = _line(node)
        self._path = path
        self._left: dict[str, yaml.Node] = {}
        self._key_lines: dict[str, int] = {}
        self._present: set[str] = set()
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise BadScenario(_line(key_node), f"{self._named('?')} must be a plain word")
            if key in self._left:
                raise BadScenario(_line(key_node), f"{self._named(key)} stands twice")
            self._left[key] = value
            self._key_lines[key] = _line(key_node)
        self._present = {key for key, value in self._left.items() if not _is_null(value)}

    def has(self, key: str) -> bool:
        """Whether the key stands there with something behind it; asking does not take it."""
        return key in self._present

    def line_of(self, key: str) -> int:
        """Where the key stands; where the section stands when it does not."""
        return self._key_lines.get(key, self.line)

    def names(self) -> Sequence[str]:
        """The keys nobody took yet, in the order of the file: for mappings whose keys are names."""
        return tuple(self._left)

    def text(self, key: str, default: str | None = None) -> str:
        """A word. A bare number is not one: it must stand in quotes."""
        node = self._take(key, required=default is None, kind="text")
        if node is None:
            assert default is not None
            return default
        return self._text(node, key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of words."""
        return tuple(self._text(node, f"{key}[{i}]") for i, node in enumerate(self._items(key, required=True)))

    def whole(self, key: str, default: int | None = None, *, least: int = INT64_MIN) -> int:
        """A whole number of 64 bits, not below `least`."""
        node = self._take(key, required=default is None, kind="a whole number")
        if node is None:
            assert default is not None
            return default
        if not isinstance(node, yaml.ScalarNode) or node.style is not None or not _WHOLE.fullmatch(node.value):
            self._wrong(node, key, "a whole number")
        number = int(node.value) if len(node.value) <= _DIGITS_MAX else INT64_MAX + 1
        if not least <= number <= INT64_MAX:
            raise BadScenario(
                _line(node), f"{self._named(key)} must lie between {least} and {INT64_MAX}, not {node.value}"
            )
        return number

    def flag(self, key: str, *, default: bool) -> bool:
        """A flag: true or false."""
        node = self._take(key, required=False, kind="true or false")
        if node is None:
            return default
        if not isinstance(node, yaml.ScalarNode) or node.style is not None or node.value not in _FLAGS:
            self._wrong(node, key, "true or false")
        return _FLAGS[node.value]

    def instant(self, key: str, zone: tzinfo | None) -> datetime:
        """A date (midnight), or a date and time; without an offset of its own it is in `zone`, which None demands."""
        node = self._take(key, required=True, kind="a date or a time")
        what = "a date or a time such as 2026-03-01T09:00:00+08:00"
        if not isinstance(node, yaml.ScalarNode) or not _INSTANT.fullmatch(node.value):
            self._wrong(node, key, what)
        try:
            instant = datetime.fromisoformat(node.value)
        except ValueError:
            self._wrong(node, key, what)
        if instant.tzinfo is None:
            if zone is None:
                self._wrong(node, key, "a time with an offset such as 2026-03-01T09:00:00+08:00")
            instant = instant.replace(tzinfo=zone)
        return instant

    def maybe_instant(self, key: str, zone: tzinfo | None) -> datetime | None:
        """As `instant`; None when it is left out."""
        if self.has(key):
            return self.instant(key, zone)
        self._left.pop(key, None)
        return None

    def section(self, key: str) -> Section:
        """A mapping."""
        node = self._take(key, required=True, kind="a mapping")
        return self._section(node, key)

    def sections(self, key: str, *, required: bool = False) -> Iterator[Section]:
        """A list of mappings; none when it is left out."""
        for position, node in enumerate(self._items(key, required=required)):
            yield self._section(node, f"{key}[{position}]")

    def skip(self, key: str) -> None:
        """Take a key whatever stands behind it."""
        self._left.pop(key, None)

    def finish(self) -> None:
        """Nothing may be left that nobody asked for."""
        for key in self._left:
            raise BadScenario(self._key_lines[key], f"unknown key {self._named(key)}")

    def wrong(self, key: str, problem: str) -> NoReturn:
        """Say what is wrong with a key that reads well by itself."""
        raise BadScenario(self.line_of(key), f"{self._named(key)} {problem}")

    def _named(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _take(self, key: str, *, required: bool, kind: str) -> yaml.Node | None:
        node = self._left.pop(key, None)
        if node is not None and key in self._present:
            return node
        if required:
            missing = f"{self._named(key)} is missing: it must be {kind}"
            # Whoever mistyped the key looks for what was typed, and at its line.
            for typed in () if node is not None else get_close_matches(key, self._left, n=1, cutoff=_ALIKE):
                raise BadScenario(self.line_of(typed), f"unknown key {self._named(typed)}; {missing}")
            raise BadScenario(self.line_of(key), missing)
        return None

    def _items(self, key: str, *, required: bool) -> list[yaml.Node]:
        node = self._take(key, required=required, kind="a list")
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, key, "a list")
        items: list[yaml.Node] = node.value
        return items

    def _section(self, node: yaml.Node | None, key: str) -> Section:
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, key, "a mapping")
        return Section(node, self._named(key))

    def _text(self, node: yaml.Node, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or (node.style is None and _is_other_than_text(node.value)):
            hint = f' (in quotes: "{node.value}")' if isinstance(node, yaml.ScalarNode) and node.value else ""
            self._wrong(node, key, f"text{hint}")
        text: str = node.value
        return text

    def _wrong(self, node: yaml.Node | None, key: str, kind: str) -> NoReturn:
        line = _line(node) if node is not None else self.line_of(key)
        shown = f", not {node.value}" if isinstance(node, yaml.ScalarNode) else ""
        raise BadScenario(line, f"{self._named(key)} must be {kind}{shown}")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULLS


def _is_other_than_text(value: str) -> bool:
    return value in _NULLS or value in _FLAGS or _NUMBER_LIKE.fullmatch(value) is not None
