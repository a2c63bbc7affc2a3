"""Walking through bindings in which almost everything may be missing."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date
from typing import Any


def at(value: Any, path: str) -> Any:
    """What lies at "a.b.c"; None when any step is missing. Of a list, the first."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        value = getattr(value, name, None)
        if value is None:
            return None
    return (value[0] if value else None) if isinstance(value, list) else value


def text(value: Any, path: str) -> str:
    """The text there, of an enumeration its code; empty when there is none."""
    found = at(value, path)
    return str(found.value if isinstance(found, enum.Enum) else found or "").strip()


def each(value: Any, name: str) -> Iterable[Any]:
    """The list there; empty when there is none."""
    return getattr(value, name, None) or ()


def reason_of(value: Any, path: str) -> str:
    """A reason as code and additional text: "AC04 closed account"."""
    found = at(value, path)
    code = text(found, "rsn.cd") or text(found, "rsn.prtry")
    return " ".join([code, *map(str, each(found, "addtl_inf"))]).strip()


def account_of(value: Any, path: str) -> str:
    """An account's IBAN, or else its number; empty when there is none."""
    return text(value, f"{path}.id.iban") or text(value, f"{path}.id.othr.id")


def day_of(value: Any, path: str) -> date | None:
    """A day, or the day of a moment as the bank's own clock had it."""
    day = at(value, f"{path}.dt") or at(value, f"{path}.dt_tm")
    return date(day.year, day.month, day.day) if day is not None else None
