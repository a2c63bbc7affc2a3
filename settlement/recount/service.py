"""Use cases of recounts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement import exchange_sums
from settlement.actors import Actor
from settlement.recount import rules, sql
from settlement.recount.model import Counted, Recount
from settlement.refusals import RecountMismatch
from settlement.run.model import Run
from settlement.run.service import read_run
from settlement.run.steps import take_turns

Told = Callable[[int, int], None]
"""How many obligations were counted, and how many the window's transfers have."""


class Recounts:
    """Counting what a run nets a second time, from the transfers, without the totals it was made of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._under_way: dict[UUID, asyncio.Task[Recount]] = {}

    async def recount(self, run_id: UUID, actor: Actor, told: Told | None = None) -> Recount:
        """Count a run's window from its transfers, hold the run against it, and keep the outcome, good or bad.

        The database sums, some pages of the transfers at a time: memory grows with the pairs only. It takes no turn of
        other steps while it counts, because what it counts lies in a closed window and never changes.

        Args:
            run_id: the run.
            actor: who asks.
            told: how far it is, once for every few thousand transfers.

        Raises:
            ResourceNotFound: there is no such run.
        """
        async with self._database.read() as connection:
            run = await read_run(connection, run_id)
            counted = await _count(connection, run, told)
        document = rules.written(run.window_no, counted)
        found = rules.mismatches(run.result, counted)
        digest = rules.digest_of(document)
        values = {
            "run_id": run_id,
            "run_digest": run.digest,
            "document": document.decode(),
            "digest": digest,
            "transfers": counted.transfers,
            "obligations": counted.obligations,
            "actor": actor.name,
            "person": actor.person,
        }
        async with self._database.write() as connection:
            await take_turns(connection)
            passed, at = (await connection.execute(sql.ADD, values)).one()
        assert passed == (not found), "the database came to another conclusion"
        return Recount(run_id, run.window_no, run.digest, counted, digest, found, at, actor.name)

    async def require(self, run_id: UUID, actor: Actor) -> None:
        """Recount, and go on only when it passed.

        Counting goes on when the caller gives up: of a large window it may take longer than a call may, and whoever
        asks again waits for the same count, or finds it kept.

        Raises:
            ResourceNotFound: there is no such run.
            RecountMismatch: the run says another thing than the transfers; the first pair is named.
        """
        counting = self._under_way.get(run_id)
        if counting is None:
            counting = self._under_way[run_id] = asyncio.create_task(self.recount(run_id, actor))
            counting.add_done_callback(lambda _: self._under_way.pop(run_id))
        recount = await asyncio.shield(counting)
        if not recount.passed:
            raise refusal_of(recount)


def refusal_of(recount: Recount) -> RecountMismatch:
    """A failed recount as a refusal: the first pair with both figures, and how many pairs there are."""
    first = recount.mismatches[0]
    return RecountMismatch(
        run=f"runs/{recount.run_id}",
        pair=f"{first.pair.debtor}>{first.pair.creditor}",
        currency=first.pair.currency,
        run_micros=str(first.run.micros),
        transfers_micros=str(first.transfers.micros),
        run_obligations=str(first.run.obligations),
        transfers_obligations=str(first.transfers.obligations),
        pairs=str(len(recount.mismatches)),
    )


async def is_recounted(connection: AsyncConnection, run_id: UUID) -> bool:
    """Whether the newest recount of exactly this run passed."""
    return bool((await connection.execute(sql.IS_RECOUNTED, {"run_id": run_id})).scalar_one())


async def _count(connection: AsyncConnection, run: Run, told: Told | None) -> Counted:
    counter = rules.Counter()
    extent = await exchange_sums.extent(connection, run.window_no)
    async for rows in exchange_sums.sums(connection, run.window_no, extent.stretches):
        counter.add(rows)
        if told is not None:
            told(counter.seen, extent.obligations)
    assert counter.seen == extent.obligations, "the pieces are not the whole"
    return counter.counted(extent.transfers)
