"""Partitions for transfers that are yet to come: several lie ahead, so that posting never fails for want of one."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import DBAPIError

from exchange.db.engine import Database, StartRefused
from exchange.retention import sql

LOOK_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0

log = structlog.get_logger(__name__)


class LedgerParts:
    """Makes partitions ahead of their time.

    Args:
        database: where.
        months: how long a partition is.
        ahead: how many there are for what is posted after the present one's.
    """

    def __init__(self, database: Database, months: int, ahead: int) -> None:
        self._database, self._months, self._ahead = database, months, ahead
        self._reach: datetime | None = None

    async def run(self) -> int:
        """Make what is missing; how many were made. Safe to run twice and at once, beside posting."""
        async with self._database.write() as connection:
            made: int = (
                await connection.execute(sql.MAKE_PARTS, {"months": self._months, "ahead": self._ahead})
            ).scalar_one()
        async with self._database.look() as connection:
            self._reach, _ = (await connection.execute(sql.REACH)).one()
        if made:
            log.info("partitions made for transfers to come", made=made, reach=self._reach)
        return made

    async def begin(self) -> None:
        """Before anything is served: make what is missing, and see that there is a partition for what is posted now.

        Raises:
            StartRefused: there is none, and none could be made.
        """
        try:
            await self.run()
        except DBAPIError as error:
            # Something holds the table up; what was made earlier reaches far.
            log.warning("no partitions could be made; it is tried again", error=repr(error.orig))
        async with self._database.look() as connection:
            self._reach, is_there = (await connection.execute(sql.REACH)).one()
        if not is_there:
            raise StartRefused("the ledger has no partition for what is posted now: run ledger-parts")

    @property
    def days_ahead(self) -> float:
        """For how many days from now there are partitions; as of the latest look."""
        return 0.0 if self._reach is None else (self._reach - datetime.now(UTC)).total_seconds() / DAY_SECONDS
