"""Use cases of approval. Each is one transaction, and the database holds every rule a second time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import WindowState
from settlement.actors import Actor
from settlement.approval import rules
from settlement.exchange_ledger import EventKind, Happening, tell
from settlement.funds.service import look
from settlement.proposals.standing import tiers
from settlement.recount.service import Recounts, is_recounted
from settlement.run import sql
from settlement.run.life import CANCELLABLE, DEAD, RunState
from settlement.run.model import Run
from settlement.run.service import read_run
from settlement.run.steps import end, step, take_turns

Step: TypeAlias = Callable[[], Awaitable[tuple[Run, bool] | None]]
"""What it answers: the run, and whether the step had been taken before; None: the transfers must be recounted."""

SUBMITTED_ONLY = frozenset({RunState.SUBMITTED})


class Approvals:
    """Submitting, checking and taking back. A repeat of a step answers what it did: (…, True)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recounts = Recounts(database)

    async def submit(self, run_id: UUID, digest: str, actor: Actor, reason: str) -> tuple[Run, bool]:
        """Put a run before the checkers.

        Raises:
            ResourceNotFound: there is no such run.
            PersonUnknown: the credential names nobody.
            WrongState: it is not just calculated.
            DigestMismatch: another result was looked at.
            WindowState: the run of the window before is not approved yet.
            RecountMismatch: it says another thing than the transfers, which are recounted unless they were before.
        """
        return await self._recounted(run_id, actor, lambda: self._submit(run_id, digest, actor, reason))

    async def _submit(self, run_id: UUID, digest: str, actor: Actor, reason: str) -> tuple[Run, bool] | None:
        person = actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            run = await read_run(connection, run_id)
            submission = run.life.submission
            if submission and run.life.state not in DEAD and (submission.person, run.digest) == (person, digest):
                return run, True
            rules.require_state(run, {RunState.CALCULATED})
            rules.require_shown(run, digest, run.etag)
            await _require_approved(connection, run)
            if not await is_recounted(connection, run_id):
                return None
            needed = rules.checkers_needed(run.result, await tiers(connection))
            await step(connection, run_id, RunState.SUBMITTED, actor, reason, checkers_needed=needed)
            return await read_run(connection, run_id), False

    async def approve(
        self, run_id: UUID, digest: str, etag: str, actor: Actor, reason: str, *, acknowledged: bool = False
    ) -> tuple[Run, bool]:
        """Say yes to a result. When as many have as must, it is approved.

        acknowledged: that the person has seen whose money does not reach for it.

        Raises:
            ResourceNotFound: there is no such run.
            PersonUnknown: the credential names nobody.
            SamePerson: the person had a hand in it.
            WrongState: nobody submitted it, or it is decided.
            DigestMismatch, EtagMismatch: something else was looked at.
            LiquidityShort: those who pay have not enough, and the terms of funds want it refused or acknowledged.
            RecountMismatch: it says another thing than the transfers.
        """

        def take() -> Awaitable[tuple[Run, bool] | None]:
            return self._approve(run_id, digest, etag, actor, reason, acknowledged=acknowledged)

        return await self._recounted(run_id, actor, take)

    async def _approve(
        self, run_id: UUID, digest: str, etag: str, actor: Actor, reason: str, *, acknowledged: bool
    ) -> tuple[Run, bool] | None:
        person = actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            run = await read_run(connection, run_id)
            if _said(run, person, RunState.APPROVED, digest):
                return run, True
            await _check(connection, run, person, digest, etag)
            if not await is_recounted(connection, run_id):
                return None
            await look(connection, run, person, acknowledged=acknowledged)
            await _decide(connection, run, RunState.APPROVED, person, actor, reason)
            run = await read_run(connection, run_id)
            if rules.is_enough(run, await tiers(connection)):
                await step(connection, run_id, RunState.APPROVED, actor, reason)
                run = await read_run(connection, run_id)
                await _tell(connection, run)
            return run, False

    async def _recounted(self, run_id: UUID, actor: Actor, take: Step) -> tuple[Run, bool]:
        """Take a step that wants a recount; when there is none, recount first, without holding anybody else up."""
        taken = await take()
        if taken is None:
            await self._recounts.require(run_id, actor)
            taken = await take()
        assert taken is not None, "a recount that passed does not go away"
        return taken

    async def reject(self, run_id: UUID, digest: str, etag: str, actor: Actor, reason: str) -> tuple[Run, bool]:
        """Say no to a result: it is for the record from now on, and its window waits for another run.

        Raises:
            ResourceNotFound, PersonUnknown, SamePerson, WrongState, DigestMismatch, EtagMismatch: as for `approve`.
        """
        person = actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            run = await read_run(connection, run_id)
            if _said(run, person, RunState.REJECTED, digest):
                return run, True
            await _check(connection, run, person, digest, etag)
            await _decide(connection, run, RunState.REJECTED, person, actor, reason)
            await end(connection, run_id, RunState.REJECTED, actor, reason)
            return await read_run(connection, run_id), False

    async def cancel(self, run_id: UUID, actor: Actor, reason: str) -> tuple[Run, bool]:
        """Take a run back before anything was instructed.

        Raises:
            ResourceNotFound: there is no such run.
            PersonUnknown: the credential names nobody.
            WrongState: it has ended, or money was instructed.
            WindowState: a run of a later window that somebody submitted builds on it.
        """
        actor.require_person()
        async with self._database.write() as connection:
            await take_turns(connection)
            run = await read_run(connection, run_id)
            if run.life.state is RunState.CANCELLED:
                return run, True
            rules.require_state(run, CANCELLABLE)
            await end(connection, run_id, RunState.CANCELLED, actor, reason)
            return await read_run(connection, run_id), False


async def _tell(connection: AsyncConnection, run: Run) -> None:
    """Let everybody with a position know that it is approved."""
    participants = {position.participant for one in run.result for position in one.positions}
    detail = {"window": f"windows/{run.window_no}", "result_digest": run.digest}
    await tell(connection, EventKind.RUN_APPROVED, [Happening(run.name, participants, detail)])


def _said(run: Run, person: str, verdict: RunState, digest: str) -> bool:
    """Whether this person has said this very thing already, and it still holds."""
    said = run.life.by(person)
    gone = run.life.state in DEAD - {verdict}
    return said is not None and (said.verdict, said.digest) == (verdict, digest) and not gone


async def _require_approved(connection: AsyncConnection, run: Run) -> None:
    """What is carried in must be certain before anybody is asked to check what came of it."""
    if run.before_run is None:
        return
    before = await read_run(connection, run.before_run)
    if before.life.state in DEAD | {RunState.CALCULATED, RunState.SUBMITTED}:
        window = f"windows/{before.window_no}"
        raise WindowState(window=window, state=before.life.state, needed=RunState.APPROVED)


async def _check(connection: AsyncConnection, run: Run, person: str, digest: str, etag: str) -> None:
    makers = set((await connection.execute(sql.MAKERS, {"run_id": run.run_id})).scalars())
    rules.require_other_eyes(run, makers, person)
    rules.require_state(run, SUBMITTED_ONLY)
    rules.require_shown(run, digest, etag)


async def _decide(
    connection: AsyncConnection, run: Run, verdict: RunState, person: str, actor: Actor, reason: str
) -> None:
    await connection.execute(
        sql.DECIDE,
        {
            "run_id": run.run_id,
            "person": person,
            "verdict": verdict.value,
            "digest": run.digest,
            "actor": actor.name,
            "reason": reason,
        },
    )
