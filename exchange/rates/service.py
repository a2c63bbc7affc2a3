"""Use cases of rates: publish, end, revoke, bound. Each decides behind the fence, so two publications cannot cross."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.callers import Caller
from exchange.clock import coalition_now
from exchange.db.engine import Database
from exchange.directory.change import change, changing
from exchange.directory.model import Directory
from exchange.directory.service import not_past
from exchange.directory.snapshot import read_directory
from exchange.ledger.event_kinds import EventKind
from exchange.ledger.ids import new_id
from exchange.ledger.outbox import note
from exchange.promotions.model import Promotion
from exchange.promotions.snapshot import read_promotions
from exchange.rates import sql
from exchange.rates.model import Rate
from exchange.rates.proofs import Ground, problems, require_no_gain, require_no_gain_with, wanted_at
from exchange.rates.proposed import Bounds, Proposal
from exchange.rates.rules import require_spreads, superseded
from exchange.rates.source import CoalitionSource
from exchange.refusals import ResourceNotFound, SecondPersonNeeded, TooLate


class RateChanges:
    """Publishing and ending rates.

    Args:
        database: where.
        source: this process's copy, read anew after each change.
        alone: whether the operator may publish without a second person.
    """

    def __init__(self, database: Database, source: CoalitionSource, *, alone: bool) -> None:
        self._database, self._source, self._alone = database, source, alone

    async def publish(
        self, caller: Caller, source: str, target: str, rate: Rate, *, begins: datetime | None, validate_only: bool
    ) -> Rate:
        """Publish a version of a pair at once; currency numbers, id and publication time of `rate` are filled in here.

        Raises:
            SecondPersonNeeded: here nobody publishes alone: propose it.
            ResourceNotFound, TooLate, SettlementCurrencyMismatch, SupersedesMismatch, RateOverlap, NoPrice,
                NegativeSpread, RateOutOfBounds, RoundTripGains: see `proofs`.
        """
        subject = f"rates/{source}>{target}"
        if not (self._alone or validate_only):
            raise SecondPersonNeeded(subject=subject)
        terms = {name: value for name, value in rate._asdict().items() if value}
        async with self._database.write() as connection:
            await connection.execute(sql.ONE_AT_A_TIME)
            directory = await read_directory(connection)
            rate = rate._replace(
                rate_id=None if validate_only else new_id(),
                source_no=directory.currency(source, "rate.source_currency").number,
                target_no=directory.currency(target, "rate.target_currency").number,
            )
            proposals, paths = [Proposal(rate, begins)], ["rate"]
            ground = await proven(connection, proposals, paths)
            if validate_only:
                return proposals[0].at(ground.now)
            async with changing(connection, caller, "publish rate", subject, terms):
                published = await publish_proven(connection, proposals, paths)
        await self._source.reload()
        return published[0]

    async def end(self, caller: Caller, rate_id: UUID, at: datetime | None) -> Rate:
        """End an open version at an instant; one that has not begun yet ends at its beginning and never holds.

        Raises:
            ResourceNotFound: no such rate.
            TooLate: it has ended, or the instant has passed.
        """
        name = f"rates/{rate_id}"
        async with change(self._database, caller, "end rate", name, {"end_time": at}) as connection:
            rate = await _rate(connection, rate_id)
            ends_at = await not_past(connection, at, "end_time")
            if rate.ends_at is not None and rate.ends_at <= ends_at:
                raise TooLate(field="end_time", earliest=rate.ends_at.isoformat())
            ends_at = max(ends_at, rate.effective_at)
            await connection.execute(sql.END_RATE, {"rate_id": rate_id, "ends_at": ends_at})
            await note(connection, EventKind.RATE_ENDED, name)
        await self._source.reload()
        return rate._replace(ends_at=ends_at)

    async def revoke(self, caller: Caller, rate_id: UUID, reason: str) -> tuple[Rate, bool]:
        """Take a version back at once: it ends now, or never begins. One person may: only conversions stop.

        Whatever it superseded stays ended. Told again, the first answer is given; the flag says so.

        Raises:
            ResourceNotFound: no such rate.
            TooLate: it has ended by itself.
        """
        name = f"rates/{rate_id}"
        async with self._database.read() as connection:
            rate = await _rate(connection, rate_id)
        if rate.revoked_at is not None:
            return rate, True
        async with change(self._database, caller, "revoke rate", name, {}, reason) as connection:
            rate = await _rate(connection, rate_id)
            if rate.revoked_at is None:
                now = await coalition_now(connection)
                if rate.ends_at is not None and rate.ends_at <= max(now, rate.effective_at):
                    raise TooLate(field="name", earliest=rate.ends_at.isoformat())
                rate = rate._replace(ends_at=max(now, rate.effective_at), revoked_at=now)
                values = {"rate_id": rate_id, "ends_at": rate.ends_at, "revoked_at": now}
                await connection.execute(sql.REVOKE_RATE, values)
                await note(connection, EventKind.RATE_ENDED, name)
        await self._source.reload()
        return rate, False

    async def bounds(self) -> Bounds:
        """What is allowed of rates that are published now."""
        async with self._database.look() as connection:
            return await _bounds(connection)

    async def set_bounds(self, caller: Caller, bounds: Bounds, reason: str) -> Bounds:
        """Say anew what is allowed of rates published from now on; those published already stay."""
        async with change(self._database, caller, "set rate bounds", "rateBounds", bounds._asdict(), reason) as open_:
            await open_.execute(sql.ADD_BOUNDS, bounds._asdict())
        return bounds


async def read_ground(connection: AsyncConnection) -> Ground:
    """What rates are judged by, as it stands."""
    return Ground(
        directory=await read_directory(connection),
        versions=[Rate(*row) for row in await connection.execute(sql.RATES)],
        bounds=await _bounds(connection),
        now=await coalition_now(connection),
        promotions=await read_promotions(connection),
    )


async def begin_proving(connection: AsyncConnection) -> None:
    """Nobody else adds rates or promotions until the transaction ends: what is proven holds when it is written."""
    await connection.execute(sql.ONE_AT_A_TIME)


async def prove_promotion(connection: AsyncConnection, promotion: Promotion) -> None:
    """Under every rate published, nobody gains by going round while a promotion is on. After `begin_proving`.

    Raises:
        RoundTripGains: somebody would.
    """
    ground = await read_ground(connection)
    await asyncio.to_thread(require_no_gain_with, promotion, ground)


async def proven(connection: AsyncConnection, proposals: Sequence[Proposal], paths: Sequence[str]) -> Ground:
    """Look at everything there is to be shown, posters still going on. Under `ONE_AT_A_TIME`.

    The proof that nobody gains by going round takes longest, and holds until the publication: no other one can add a
    version meanwhile, versions that end open no cycle, and a version that begins meanwhile was looked at.

    Raises:
        Refusal: the first problem.
    """
    ground = await read_ground(connection)
    for problem in problems(proposals, ground, paths):
        raise problem.refusal
    await asyncio.to_thread(require_no_gain, wanted_at(proposals, ground.now), ground)
    return ground


async def publish_proven(
    connection: AsyncConnection, proposals: Sequence[Proposal], paths: Sequence[str]
) -> list[Rate]:
    """Write what `proven` has looked at, if prices and ends that moved meanwhile allow it still. Behind the fence.

    Raises:
        Refusal: they do not.
    """
    ground = await read_ground(connection)
    for problem in problems(proposals, ground, paths):
        raise problem.refusal
    rates = wanted_at(proposals, ground.now)
    for ended in superseded(rates, ground.versions):
        await connection.execute(sql.END_RATE, {"rate_id": ended.rate_id, "ends_at": ended.ends_at})
        await note(connection, EventKind.RATE_ENDED, ended.name)
    for rate in rates:
        await connection.execute(sql.ADD_RATE, rate._asdict())
        await note(connection, EventKind.RATE_PUBLISHED, rate.name)
    return rates


async def check_spreads(connection: AsyncConnection, directory: Directory) -> None:
    """No rate still to hold loses money for the operator under the directory's prices.

    Raises:
        NegativeSpread: names the first that would.
    """
    now = await coalition_now(connection)
    rates = [Rate(*row) for row in await connection.execute(sql.RATES)]
    ahead = [
        rate._replace(effective_at=max(rate.effective_at, now))
        for rate in rates
        if rate.ends_at is None or rate.ends_at > max(now, rate.effective_at)
    ]
    require_spreads(ahead, directory)


async def _rate(connection: AsyncConnection, rate_id: UUID) -> Rate:
    for row in await connection.execute(sql.RATES):
        if row.rate_id == rate_id:
            return Rate(*row)
    raise ResourceNotFound(resource=f"rates/{rate_id}", field="name")


async def _bounds(connection: AsyncConnection) -> Bounds:
    row = (await connection.execute(sql.BOUNDS)).first()
    return Bounds() if row is None else Bounds(*row)
