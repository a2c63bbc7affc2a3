"""Use case of bank answers: a message is read, matched line by line, and kept with what became of each line."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement.actors import Actor
from settlement.payments import sql
from settlement.payments.matching import Advance, Book, Booking, Outcome, Sent, Unmatched, names_in
from settlement.payments.model import AttemptState
from settlement.payments.progress import follow
from settlement.payments.reading.model import BankMessage, EntryLine, Line, StatusLine, Unreadable
from settlement.payments.reading.registry import read
from settlement.payments.telling import Moved
from settlement.refusals import BankMessageUnreadable
from settlement.run.steps import take_turns


class Recorded(NamedTuple):
    """What became of a message's lines: how many moved a payment, told nothing new, or wait for somebody."""

    sha256: str
    name: str
    bank_message_id: str
    applied: int
    known: int
    exceptions: int


class BankAnswers:
    """Recording what banks send."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, content: bytes, actor: Actor) -> tuple[Recorded, bool]:
        """Read a bank's message and apply it; (…, True) when these very bytes were recorded before.

        Raises:
            BankMessageUnreadable: it is no message there is a reader for.
        """
        try:
            message = read(content)
        except Unreadable as unreadable:
            raise BankMessageUnreadable(problem=str(unreadable)[:500]) from unreadable
        sha256 = hashlib.sha256(content).hexdigest()
        async with self._database.write() as connection:
            await take_turns(connection)
            if (await connection.execute(sql.MESSAGE, {"sha256": sha256})).first() is not None:
                return await _recorded(connection, sha256), True
            await _keep(connection, sha256, message, content, actor)
            book, runs = await book_of(connection, *names_in(message.lines))
            moved: list[Moved] = []
            for line_no, line in enumerate(message.lines, start=1):
                outcomes = book.judge(line)
                await _note(connection, sha256, line_no, line, outcomes)
                moved += await _apply(connection, f"{sha256}:{line_no}", outcomes, actor)
            await follow(connection, {runs[name] for name, _ in moved}, actor, moved)
            return await _recorded(connection, sha256), False


async def book_of(
    connection: AsyncConnection, payments: Collection[str], files: Collection[str]
) -> tuple[Book, dict[str, UUID]]:
    """The attempts that may be meant, with what banks said of them so far; and the run of each."""
    values = {"payments": sorted(payments), "files": sorted(files)}
    rows = list(await connection.execute(sql.SENT, values))
    bookings: dict[str, list[Booking]] = {}
    names = [row.end_to_end_id for row in rows]
    for row in await connection.execute(sql.BOOKINGS, {"payments": names}):
        booking = Booking(row.account, row.is_credit, row.booked_on, row.reference)
        bookings.setdefault(row.end_to_end_id, []).append(booking)
    sent = {row.end_to_end_id: _sent(row, bookings.get(row.end_to_end_id, ())) for row in rows}
    return Book(sent), {row.end_to_end_id: row.run_id for row in rows}


def _sent(row: Row[Any], bookings: Sequence[Booking]) -> Sent:
    return Sent(
        end_to_end_id=row.end_to_end_id,
        message_id=row.message_id,
        block_id=row.block_id,
        state=AttemptState(row.state),
        currency=row.currency_code,
        minor_units=row.minor_units,
        payer_account=row.payer_account,
        payee_account=row.payee_account,
        execution_date=row.execution_date,
        bookings=tuple(bookings),
    )


async def advance(
    connection: AsyncConnection, from_state: AttemptState, to: Advance, source: str, actor: Actor
) -> None:
    """Note that an attempt came into another state; the database refuses a step there is not."""
    values = {"end_to_end_id": to.end_to_end_id, "from_state": from_state.value, "to_state": to.to_state.value}
    said = {"booked_on": to.booked_on, "reason": to.reason, "source": source, "actor": actor.name}
    await connection.execute(sql.ADD_EVENT, {**values, **said})


async def _keep(connection: AsyncConnection, sha256: str, message: BankMessage, content: bytes, actor: Actor) -> None:
    names = {"name": message.name, "bank_message_id": message.message_id}
    values = {"sha256": sha256, "received_by": actor.name, "content": content}
    await connection.execute(sql.ADD_MESSAGE, {**names, **values})


async def _apply(connection: AsyncConnection, source: str, outcomes: Sequence[Outcome], actor: Actor) -> list[Moved]:
    """Write what a line moved; the attempts it moved, and where to."""
    moved = [outcome for outcome in outcomes if isinstance(outcome, Advance)]
    for one in moved:
        row = (await connection.execute(sql.STATE, {"end_to_end_id": one.end_to_end_id})).one()
        await advance(connection, AttemptState(row.state), one, source, actor)
    return [(one.end_to_end_id, one.to_state) for one in moved]


async def _note(
    connection: AsyncConnection, sha256: str, line_no: int, line: Line, outcomes: Sequence[Outcome]
) -> None:
    """Keep a line with what became of it, and raise its exceptions."""
    unmatched = [outcome for outcome in outcomes if isinstance(outcome, Unmatched)]
    applied = any(isinstance(outcome, Advance) for outcome in outcomes)
    about = {outcome.end_to_end_id for outcome in outcomes}
    booking = _booking(line) if isinstance(line, EntryLine) else dict.fromkeys(_BOOKING)
    await connection.execute(
        sql.ADD_LINE,
        {
            "sha256": sha256,
            "line_no": line_no,
            "said": said(line),
            "outcome": "EXCEPTION" if unmatched else "APPLIED" if applied else "KNOWN",
            "end_to_end_id": about.pop() if len(about) == 1 else None,
            **booking,
        },
    )
    for one in unmatched:
        values = {"sha256": sha256, "line_no": line_no, "kind": one.kind.value, "end_to_end_id": one.end_to_end_id}
        await connection.execute(sql.ADD_EXCEPTION, values)


_BOOKING = ("currency_code", "amount", "account", "is_credit", "booked_on", "reference")


def _booking(line: EntryLine) -> dict[str, object]:
    values = (line.currency, line.amount, line.account, line.is_credit, line.booked_on, line.reference)
    return dict(zip(_BOOKING, values, strict=True))


def said(line: Line) -> str:
    """A line in words, for whoever looks at an exception."""
    if isinstance(line, StatusLine):
        about = line.end_to_end_id or line.block_id or line.message_id
        return f"{about}: {line.status} {line.reason}".rstrip()
    direction = "credit" if line.is_credit else "debit"
    comes_back = ", returned" if line.returned else ""
    parts = (line.end_to_end_id or "no EndToEndId", line.reason)
    return f"{direction} {line.currency} {line.amount} on {line.account}{comes_back}: {' '.join(parts).rstrip()}"


async def _recorded(connection: AsyncConnection, sha256: str) -> Recorded:
    message = (await connection.execute(sql.MESSAGE, {"sha256": sha256})).one()
    rows = await connection.execute(sql.COUNTS, {"sha256": sha256})
    counts = {row.outcome: row.lines for row in rows}
    return Recorded(
        sha256=sha256,
        name=message.name,
        bank_message_id=message.bank_message_id,
        applied=counts.get("APPLIED", 0),
        known=counts.get("KNOWN", 0),
        exceptions=counts.get("EXCEPTION", 0),
    )
