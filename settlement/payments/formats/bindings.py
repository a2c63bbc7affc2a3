"""What a schema says of single fields, as the bindings made from it carry it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any


def flaws(message: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field that breaks what its binding says, as (path, what)."""
    for field in fields(message):
        value, here = getattr(message, field.name), f"{path}/{field.metadata.get('name', field.name)}"
        values = value if isinstance(value, list) else [] if value is None else [value]
        least = field.metadata.get("min_occurs", 1 if field.metadata.get("required") else 0)
        if len(values) < least:
            yield here, f"comes {len(values)} times, not at least {least}"
        for one in values:
            if is_dataclass(one):
                yield from flaws(one, here)
            else:
                yield from ((here, what) for what in _flaws_of_value(one, field.metadata))


def _flaws_of_value(value: Any, rules: Any) -> Iterator[str]:
    if isinstance(value, str):
        if not rules.get("min_length", 0) <= len(value) <= rules.get("max_length", len(value)):
            yield f"{value!r} has {len(value)} characters"
        if "pattern" in rules and re.fullmatch(rules["pattern"], value) is None:
            yield f"{value!r} is not of the form {rules['pattern']}"
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        places = max(-int(exponent), 0)
        if len(digits) > rules.get("total_digits", len(digits)) or places > rules.get("fraction_digits", places):
            yield f"{value} has too many digits"
        if value < rules.get("min_inclusive", value):
            yield f"{value} is too small"
