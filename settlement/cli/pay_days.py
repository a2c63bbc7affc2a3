"""The day a bank is to pay, as people type it."""

from __future__ import annotations

import re
from datetime import date

from settlement.cli.files import refused

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def day_of(text: str) -> date | None:
    """What `--pay-on` says; None: nothing."""
    if not text:
        return None
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    refused(f"--pay-on {text}: say a day, such as 2026-03-02")
    raise AssertionError(text)
