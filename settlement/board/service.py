"""Use case of the board: gather, in one snapshot, what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement import exchange_directory
from settlement.board import sql
from settlement.board.model import Board, Outstanding, Who, WindowFacts
from settlement.board.rules import line_of, overtaken, waits_of
from settlement.calendar.model import CutOff
from settlement.payments import sql as payments_sql
from settlement.payments.files import legs_to_pay
from settlement.proposals import sql as proposals_sql
from settlement.proposals.model import Terms
from settlement.proposals.standing import standing
from settlement.run import sql as run_sql
from settlement.run.ageing import waiting
from settlement.run.life import DEAD, INSTRUCTED, PREVIEW, RunState
from settlement.run.model import Run
from settlement.run.service import read_run
from settlement.windows import dates, kept

MANY = 100_000
PAYING = INSTRUCTED | {RunState.APPROVED}
"""Others may stand in for payments of a run in these states."""
UNAPPROVED = DEAD | PREVIEW | {RunState.SUBMITTED}


class Boards:
    """Looking at everything at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Board:
        """The board as of one snapshot."""
        async with self._database.read() as connection:
            here = await exchange_directory.coalition(connection)
            facts = await unfinished(connection)
            newest = (await connection.execute(run_sql.NEWEST_STANDING)).first()
            run = await read_run(connection, newest.run_id) if newest else None
            today = here.now.astimezone(here.time_zone).date()
            return Board(
                now=here.now,
                windows=[line_of(one, here.now, here.time_zone) for one in facts],
                waits=waits_of(waiting(run.result, today)) if run else [],
                outstanding=await _outstanding(connection, here.now, here.time_zone),
                cut_offs=await _cut_offs(connection, here.now),
            )


async def unfinished(connection: AsyncConnection, window_no: int | None = None) -> list[WindowFacts]:
    """Windows that are not finished, oldest first; only this one if a number is given."""
    rows = [row for row in await connection.execute(sql.UNFINISHED) if window_no is None or row.window_no == window_no]
    calendar = await dates.calendar_in_force(connection)
    terms = await standing(connection, Terms)
    suspended = await exchange_directory.suspended(connection) if terms and terms[1].holds_suspended else []
    found = []
    for row in rows:
        run = await read_run(connection, row.run_id) if row.run_id else None
        due = None
        if row.closed_at is None and calendar:
            due = await dates.due_at(connection, calendar, row.opened_at)
        found.append(
            WindowFacts(
                window_no=row.window_no,
                opened_at=row.opened_at.astimezone(UTC),
                closed_at=row.closed_at.astimezone(UTC) if row.closed_at else None,
                due_at=due,
                run=run,
                before=await _before(connection, run),
                makers=row.makers,
                legs=await legs_to_pay(connection, run) if run and run.life.state in PAYING else (),
                overtaken=overtaken(run, suspended) if run else (),
            )
        )
    return found


async def _before(connection: AsyncConnection, run: Run | None) -> str:
    if run is None or run.before_run is None:
        return ""
    state = (await read_run(connection, run.before_run)).life.state
    return state.lower() if state in UNAPPROVED else ""


async def _cut_offs(connection: AsyncConnection, now: datetime) -> list[CutOff]:
    calendar = await dates.calendar_in_force(connection)
    return await kept.firsts(connection, calendar, now, 1) if calendar else []


async def _outstanding(connection: AsyncConnection, now: datetime, zone: tzinfo) -> list[Outstanding]:
    exceptions = await connection.execute(payments_sql.EXCEPTIONS, {"after": 0, "limit": MANY, "all": False})
    values = {"kind": None, "waiting": True, "before": 2**62, "limit": MANY}
    proposals = await connection.execute(proposals_sql.PAGE, values)
    disputes = await connection.execute(sql.DISPUTES)
    claims = await connection.execute(sql.CLAIMS)
    queues: list[tuple[str, Sequence[datetime], Who, str]] = [
        ("exceptions of payments", [row.raised_at for row in exceptions], Who.CHECKER, "exceptions"),
        ("proposals", [row.at for row in proposals], Who.CHECKER, "proposals"),
        ("disputes", [row.at for row in disputes], Who.MAKER, "disputes"),
        ("defaults with a claim left", [row.at for row in claims], Who.MAKER, "funds"),
    ]
    today = now.astimezone(zone).date()
    return [
        Outstanding(what, len(at), (today - min(at).astimezone(zone).date()).days, who, command)
        for what, at, who, command in queues
        if at
    ]
