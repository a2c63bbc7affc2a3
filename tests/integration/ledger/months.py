"""A ledger's months, the job that makes their statements, and what it made."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from exchange.statements.model import Month, MonthlyStatement
from exchange.statements.monthly import MonthlyStatements, statements_of
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


async def statements(server: Ledger, member: UUID, code: str | None = None) -> list[MonthlyStatement]:
    """What was made for a member, of one currency or of all."""
    number = None if code is None else (await server.api.source.current()).currency_no(code)
    async with server.database.read() as connection:
        return await statements_of(
            connection, member, currency_no=number, month=None, after=(date.min, ""), limit=1_000
        )
