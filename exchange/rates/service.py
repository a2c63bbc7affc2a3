"""Use cases of rates: publish and end. Each checks everything behind the fence, so two publications cannot cross."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory.change import change
from exchange.directory.model import Directory
from exchange.directory.service import not_past
from exchange.directory.snapshot import read_directory
from exchange.ledger.ids import new_id
from exchange.rates.model import Rate
from exchange.rates.rules import require_no_overlap, require_same_money, require_spread, require_spreads
from exchange.rates.source import CoalitionSource
from exchange.rates.sql import ADD_RATE, END_RATE, RATES
from exchange.refusals import ResourceNotFound, TooLate


class _OnlyValidating(Exception):
    """Ends the transaction of a publication that was only to be checked."""


class RateChanges:
    """Publishing and ending rates."""

    def __init__(self, database: Database, source: CoalitionSource) -> None:
        self._database, self._source = database, source

    async def publish(
        self, caller: Caller, source: str, target: str, rate: Rate, *, begins: datetime | None, validate_only: bool
    ) -> Rate:
        """Publish a version of a pair; currency numbers, id and publication time of `rate` are filled in here.

        Raises:
            ResourceNotFound, TooLate, SettlementCurrencyMismatch, RateOverlap, NoPrice, NegativeSpread: see `rules`.
        """
        subject = f"rates/{source}>{target}"
        terms = {name: value for name, value in rate._asdict().items() if value}
        try:
            async with change(self._database, caller, "publish rate", subject, terms) as connection:
                directory = await read_directory(connection)
                rate = await self._completed(connection, directory, rate, source, target, begins)
                versions = [Rate(*row) for row in await connection.execute(RATES)]
                source_currency = directory.currencies[rate.source_no]
                target_currency = directory.currencies[rate.target_no]
                require_same_money(source_currency, target_currency)
                pair_versions = [version for version in versions if version.pair == rate.pair]
                require_no_overlap(rate, pair_versions, source_currency, target_currency)
                require_spread(rate, directory)
                if validate_only:
                    raise _OnlyValidating
                rate = rate._replace(rate_id=new_id())
                await connection.execute(ADD_RATE, rate._asdict())
        except _OnlyValidating:
            return rate
        await self._source.reload()
        return rate

    async def _completed(
        self,
        connection: AsyncConnection,
        directory: Directory,
        rate: Rate,
        source: str,
        target: str,
        begins: datetime | None,
    ) -> Rate:
        effective_at = await not_past(connection, begins, "rate.effective_time")
        if rate.ends_at is not None and rate.ends_at <= effective_at:
            raise TooLate(field="rate.end_time", earliest=effective_at.isoformat())
        return rate._replace(
            source_no=directory.currency(source, "rate.source_currency").number,
            target_no=directory.currency(target, "rate.target_currency").number,
            effective_at=effective_at,
            published_at=await coalition_now(connection),
        )

    async def end(self, caller: Caller, rate_id: UUID, at: datetime | None) -> Rate:
        """End an open version at an instant; one that has not begun yet ends at its beginning and never holds.

        Raises:
            ResourceNotFound: no such rate.
            TooLate: it has ended, or the instant has passed.
        """
        name = f"rates/{rate_id}"
        async with change(self._database, caller, "end rate", name, {"end_time": at}) as connection:
            rate = next(
                (r for r in (Rate(*row) for row in await connection.execute(RATES)) if r.rate_id == rate_id), None
            )
            if rate is None:
                raise ResourceNotFound(resource=name, field="name")
            ends_at = await not_past(connection, at, "end_time")
            if rate.ends_at is not None and rate.ends_at <= ends_at:
                raise TooLate(field="end_time", earliest=rate.ends_at.isoformat())
            ends_at = max(ends_at, rate.effective_at)
            await connection.execute(END_RATE, {"rate_id": rate_id, "ends_at": ends_at})
        await self._source.reload()
        return rate._replace(ends_at=ends_at)


async def check_spreads(connection: AsyncConnection, directory: Directory) -> None:
    """No rate still to hold loses money for the operator under the directory's prices.

    Raises:
        NegativeSpread: names the first that would.
    """
    now = await coalition_now(connection)
    rates = [Rate(*row) for row in await connection.execute(RATES)]
    ahead = [
        rate._replace(effective_at=max(rate.effective_at, now))
        for rate in rates
        if rate.ends_at is None or rate.ends_at > max(now, rate.effective_at)
    ]
    require_spreads(ahead, directory)
