"""Reading statements. Each page is one snapshot, and says how the account stood before and after it.

Posters number an account's lines under its lock, and commit before they let go of it. So whoever sees a line sees every
one before it, and what is posted later gets greater numbers: a cursor on the number misses nothing and doubles nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.ledger.key_rows import transfer_of_columns
from exchange.ledger.model import member_bucket
from exchange.ledger.reads_sql import IN_ORDER
from exchange.ledger.retired import retired
from exchange.statements import sql
from exchange.statements.model import Page, Standing
from exchange.statements.rules import lines


class Wanted(NamedTuple):
    """Which lines: of whose account, of which time, after which number; everything that is left out counts."""

    member_id: UUID
    currency_no: int
    begins: datetime | None = None
    ends: datetime | None = None
    after_sequence: int = 0


class Cursor(NamedTuple):
    """Where a page ended: its last transfer's place in the ledger, and how the account stood."""

    ledger_sequence: int
    standing: Standing


async def page(connection: AsyncConnection, wanted: Wanted, after: Cursor | None, limit: int) -> Page:
    """The lines after a cursor, at most so many; None: from the first that is wanted.

    Without a beginning that is the first line in the ledger: what has left it is in the opening.

    Raises:
        TransferRetired: lines that are wanted have left the ledger.
    """
    values = {
        "bucket": member_bucket(wanted.member_id),
        "member_id": wanted.member_id,
        "currency_no": wanted.currency_no,
        "begins": wanted.begins,
        "after_sequence": wanted.after_sequence,
    }
    place = -1
    row = (await connection.execute(sql.CARRIED, values)).first()
    carried = Standing() if row is None else Standing(*row[:3])
    if row is not None and not _has_all(wanted, after, carried, row.last_occurred_at):
        gone = await retired(connection)
        assert gone is not None, "lines are carried because they have left"
        raise gone.refusal(f"members/{wanted.member_id}")
    if after is not None:
        opening, place = after.standing, after.ledger_sequence
    elif wanted.begins is None and not wanted.after_sequence:
        opening = carried  # nothing else lies before the beginning
    else:
        base = {f"carried_{name}": figure for name, figure in carried._asdict().items()}
        opening = Standing(*(await connection.execute(sql.OPENING, values | base)).one())
    if after is None and wanted.begins is not None:
        place = (await connection.execute(sql.PLACE, {"begins": wanted.begins})).scalar_one() - 1
    values |= {"ends": wanted.ends, "after": place, "limit": limit + 1}
    await connection.execute(IN_ORDER)
    found = [transfer_of_columns(tuple(row)) for row in await connection.execute(sql.LINES, values)]
    shown = lines(found[:limit], wanted.currency_no, opening)
    return Page(opening, shown, shown[-1].after if shown else opening, len(found) > limit)


def _has_all(wanted: Wanted, after: Cursor | None, carried: Standing, last_at: datetime) -> bool:
    """Whether the ledger has every line that is wanted, though some of the account's have left it."""
    if after is not None:
        return after.standing.sequence >= carried.sequence
    if wanted.begins is None and not wanted.after_sequence:
        return True
    later = wanted.begins is not None and wanted.begins > last_at
    return later or wanted.after_sequence >= carried.sequence
