"""A ledger's months, and the job that makes their statements."""

from __future__ import annotations

from datetime import datetime

from exchange.statements.model import Month
from exchange.statements.monthly import MonthlyStatements
from tests.integration.ledger.ledgers import OPERATOR, Ledger
from tests.unit.rules.rulebook import SHANGHAI


def job(server: Ledger) -> MonthlyStatements:
    """The server's own."""
    return MonthlyStatements(server.database, server.api.source)


async def this_month(server: Ledger) -> Month:
    """The month it is where the coalition lives."""
    now = await server.value("SELECT exchange.coalition_now()")
    return Month.of(now.astimezone(SHANGHAI).date())


async def to(server: Ledger, moment: datetime) -> None:
    """Later."""
    await server.api.changes.set_clock(OPERATOR, moment)


async def next_month(server: Ledger) -> Month:
    """The month that is now over: its first instant after it has just struck."""
    month = await this_month(server)
    await to(server, month.ends(SHANGHAI))
    return month
