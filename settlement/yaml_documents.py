"""Documents people write, as YAML or JSON: plain values, or why they are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any


class BadDocument(Exception):
    """A file that is neither YAML nor JSON; the text says why."""


def read_plain(path: Path) -> Any:
    """What a document says, as JSON would have it: mappings, lists, text and numbers; a bare date is text.

    Raises:
        BadDocument: it is neither YAML nor JSON, or has no end, or its aliases stand for too much.
        OSError: it cannot be read.
    """
    import yaml

    from exchange.yaml_loading import BoundedLoader, TooMuchRepeated

    try:
        # A SafeLoader: it makes nothing but plain values.
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=BoundedLoader)  # noqa: S506
        return _with_dates_as_text(values)
    except TooMuchRepeated as wrong:
        raise BadDocument(f"line {wrong.line}: {wrong.problem}") from wrong
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise BadDocument(f"is neither YAML nor JSON: {wrong}") from wrong
    except ValueError as wrong:
        # What looks like a date or a number and is none: 2026-02-30.
        raise BadDocument(f"holds a value that is none: {wrong}") from wrong
    except RecursionError as wrong:
        raise BadDocument("is nested too deeply") from wrong


def _with_dates_as_text(values: Any) -> Any:
    if isinstance(values, dict):
        return {name: _with_dates_as_text(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_with_dates_as_text(value) for value in values]
    return values.isoformat() if type(values) is date else values
