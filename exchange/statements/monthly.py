"""Monthly member statements: made once for each account and month, part by part, by whoever comes first.

Safe to run twice and at once, and to be killed in the middle: a part is one transaction, under a lock, and what is made
stays made. The next run goes on with what is missing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.ledger.model import BUCKETS, member_bucket
from exchange.ledger.retired import require_times_kept, retired
from exchange.ledger.windows import ALONE
from exchange.rates.source import CoalitionSource
from exchange.statements import sql
from exchange.statements.model import CurrencySummary, Month, MonthlyStatement, Standing, Total

PARTS = 64
BUCKETS_OF_PART = BUCKETS // PARTS
LOCK_FAMILY = 0x7374_6D74
OTHERS_AT_IT_SECONDS = 0.2

log = structlog.get_logger(__name__)


class MonthNotOver(Exception):
    """Statements of a month are made when it is over."""


class MonthlyStatements:
    """Makes and reads monthly statements."""

    def __init__(self, database: Database, source: CoalitionSource) -> None:
        self._database, self._source = database, source

    async def make(self, month: Month, progress: Callable[[int], None] = lambda _: None) -> int:
        """Make what is missing of a month; how many statements were made here. `progress` hears parts done so far.

        Returns when all of the month is there, made here or by somebody else at the same time.

        Raises:
            MonthNotOver: by the coalition's clock and time zone.
            TransferRetired: some of it, or of what its statements would open with, has left the ledger.
        """
        await self._begin(month)
        made = 0
        while missing := await self._missing(month):
            progress(PARTS - len(missing))
            # Two that begin at once begin at different places.
            start = random.randrange(PARTS)  # noqa: S311 - spreads work, guards nothing
            taken = 0
            for part in sorted(missing, key=lambda part: (part - start) % PARTS):
                statements = await self._make_part(month, part)
                if statements is not None:
                    taken += 1
                    made += statements
                    progress(PARTS - len(missing) + taken)
            if not taken:
                await asyncio.sleep(OTHERS_AT_IT_SECONDS)
        progress(PARTS)
        async with self._database.write() as connection:
            await connection.execute(sql.END_RUN, {"month": month.first})
        return made

    async def _begin(self, month: Month) -> None:
        zone = (await self._source.current()).time_zone
        async with self._database.write() as connection:
            if (await connection.execute(sql.RUN, {"month": month.first})).first() is not None:
                return
            # Whoever posts now has committed when this is passed, and whoever posts later does so after the month.
            await connection.execute(ALONE)
            now = await coalition_now(connection)
            if now < month.ends(zone):
                raise MonthNotOver(f"{month.name} is not over: it is {now.astimezone(zone):%Y-%m-%d %H:%M}")
            await _require_kept(connection, month, month.begins(zone))
            row = {"month": month.first, "begins": month.begins(zone), "ends": month.ends(zone), "now": now}
            await connection.execute(sql.BEGIN_RUN, row)

    async def _missing(self, month: Month) -> set[int]:
        async with self._database.look() as connection:
            made = await connection.execute(sql.PARTS_MADE, {"month": month.first})
            return set(range(PARTS)) - {part for (part,) in made}

    async def _make_part(self, month: Month, part: int) -> int | None:
        """How many statements were made; None: somebody else is at it, or was."""
        async with self._database.write() as connection:
            key = (month.year * 12 + month.month) * PARTS + part
            if not (await connection.execute(sql.TAKE_PART, {"family": LOCK_FAMILY, "key": key})).scalar_one():
                return None
            run = (await connection.execute(sql.RUN, {"month": month.first})).one()
            if part in {made for (made,) in await connection.execute(sql.PARTS_MADE, {"month": month.first})}:
                return None
            await connection.execute(sql.BY_KEY)
            values = {
                "month": month.first,
                "month_before": month.before.first,
                "begins": run.begins_at,
                "ends": run.ends_at,
                "first": part * BUCKETS_OF_PART,
                "last": (part + 1) * BUCKETS_OF_PART - 1,
            }
            statements = (await connection.execute(sql.MAKE_PART, values)).rowcount
            # Afterwards, and not before: what left meanwhile would be missing in them.
            await _require_kept(connection, month, run.begins_at)
            await connection.execute(sql.ADD_PART, {"month": month.first, "part": part, "statements": statements})
            return statements

    async def due(self, day: int) -> Month | None:
        """The month whose statements are due and not all there: from a day of the month on, the one before it."""
        zone = (await self._source.current()).time_zone
        async with self._database.look() as connection:
            today = (await coalition_now(connection)).astimezone(zone).date()
            if today.day < day:
                return None
            month = Month.of(today).before
            run = (await connection.execute(sql.RUN, {"month": month.first})).first()
            return month if run is None or run.ended_at is None else None

    async def keep_running(self, every_seconds: float, day: int) -> None:
        """Look again and again, until cancelled, whether statements are due; a run that fails is tried again."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                month = await self.due(day)
                if month is not None:
                    log.info("member statements made", month=month.name, statements=await self.make(month))
            except Exception:
                log.warning("member statements failed; they are tried again", exc_info=True)

    async def summary(self, month: Month) -> list[CurrencySummary]:
        """What all statements of a month that was made say, by currency, beside what was then in circulation.

        Raises:
            TransferRetired: what was in circulation then can no longer be told.
        """
        async with self._database.read() as connection:
            run = (await connection.execute(sql.RUN, {"month": month.first})).one()
            await require_times_kept(connection, run.ends_at, f"circulation at the end of {month.name}")
            rows = await connection.execute(sql.SUMMARY, {"month": month.first, "ends": run.ends_at})
            return [CurrencySummary(row[0], *map(int, row[1:])) for row in rows]


async def _require_kept(connection: AsyncConnection, month: Month, begins: datetime) -> None:
    """Statements go on where earlier ones ended: what has left the ledger must lie before the end of one of those.

    Raises:
        TransferRetired: it does not, so that a part of the month or of its opening would be missing.
    """
    gone = await retired(connection)
    if gone is None:
        return
    between = {"left_at": gone.last_occurred_at, "begins": begins}
    if begins <= gone.last_occurred_at or not (await connection.execute(sql.MADE_BETWEEN, between)).scalar_one():
        raise gone.refusal(f"statements of {month.name}")


async def statements_of(
    connection: AsyncConnection,
    member_id: UUID,
    *,
    currency_no: int | None,
    month: Month | None,
    after: tuple[date, str],
    limit: int,
) -> list[MonthlyStatement]:
    """A member's statements by month and currency code, after a position."""
    values = {
        "bucket": member_bucket(member_id),
        "member_id": member_id,
        "currency_no": currency_no,
        "month": None if month is None else month.first,
        "after_month": after[0],
        "after_code": after[1],
        "limit": limit,
    }
    return [
        MonthlyStatement(
            row.currency_no,
            row.code,
            row.month,
            Standing(row.opening_available_units, row.opening_held_units, row.last_sequence - row.entries),
            Standing(row.closing_available_units, row.closing_held_units, row.last_sequence),
            Total(0, row.entries, *map(int, row[7:11])),
            [Total(kind, entries, *map(int, units)) for kind, entries, *units in row.totals],
            row.begins_at,
            row.ends_at,
            row.made_at,
        )
        for row in await connection.execute(sql.STATEMENTS, values)
    ]
