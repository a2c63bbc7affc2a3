"""Fields that documents of several kinds have, as their requests are checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from exchange.money.currencies import MINOR_EXPONENT
from exchange.serving.checks import Violations

LISTED_MAX = 1_000
"""Participants or tiers in one document."""
T = TypeVar("T")


def currency(check: Violations, path: str, code: str) -> str:
    """An ISO 4217 code."""
    if code not in MINOR_EXPONENT:
        check.say(path, "is no ISO 4217 currency" if code else "is required")
    return code


def listed(check: Violations, path: str, items: Sequence[T], at_most: int = LISTED_MAX) -> Iterable[tuple[str, T]]:
    """Items with their paths; too many are said and not looked at."""
    if len(items) > at_most:
        check.say(path, f"has more than {at_most}")
        return []
    return [(f"{path}[{place}]", item) for place, item in enumerate(items)]
