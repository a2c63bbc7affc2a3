"""What people type in words and figures: held to what the wire takes, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

REASON_CHARS_MAX = 500
MINOR_UNITS_MAX = 10**15
CARRY_DAYS_MAX = 3_660
NUMBER_MAX = 2**31 - 1
"""Of versions, windows and whatever else is counted."""


def in_one_line(least: int, most: int = REASON_CHARS_MAX) -> Callable[[str], str]:
    """A check of an option or argument: one printable line of so many characters."""

    def checked(text: str) -> str:
        if len(text) > most or len(text.strip()) < least or not text.isprintable():
            raise typer.BadParameter(f"say it in one line of {least} to {most} characters")
        return text

    return checked


Why = Annotated[str, typer.Option("--reason", help="What the checkers should know.", callback=in_one_line(0))]
"""What may be said to whoever is asked to agree."""
ForTheRecord = Annotated[str, typer.Option("--reason", help="Why, for the record.", callback=in_one_line(1))]
"""What has to be said."""
