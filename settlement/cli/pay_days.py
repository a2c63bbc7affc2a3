"""The day a bank is to pay, as people type it: a day, and not one that is over."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from settlement.cli.files import refused
from settlement.cli.plain import NotDone

if TYPE_CHECKING:
    from exchange.db.engine import Database

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


async def require_to_come(database: Database, day: date | None) -> None:
    """A file is written once and for ever: a year mistyped would instruct the bank to have paid long ago.

    Raises:
        NotDone: the day is over by the coalition's clock.
    """
    if day is None:
        return
    from settlement.exchange_ledger import coalition

    async with database.read() as connection:
        here = await coalition(connection)
    today = here.now.astimezone(here.time_zone).date()
    if day < today:
        raise NotDone(f"--pay-on {day}: it is {today} already", "say that day or a later one, or leave --pay-on out")
