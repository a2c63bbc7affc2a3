"""Taking a run from one state to the next: in the caller's transaction, one at a time for all of settlement."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.refusals import WindowState
from settlement.actors import Actor
from settlement.run import sql
from settlement.run.life import DEAD, PREVIEW, Decision, Life, RunState, Transition


async def take_turns(connection: AsyncConnection) -> None:
    """Wait until nobody else takes a step; held until the transaction ends."""
    await connection.execute(sql.TAKE_TURNS)


async def life_of(connection: AsyncConnection, run_id: UUID) -> Life:
    """What happened to a run so far."""
    transitions = await connection.execute(sql.TRANSITIONS, {"run_id": run_id})
    decisions = await connection.execute(sql.DECISIONS, {"run_id": run_id})
    return Life([Transition._make(row) for row in transitions], [Decision._make(row) for row in decisions])


async def step(
    connection: AsyncConnection,
    run_id: UUID,
    to: RunState,
    actor: Actor,
    reason: str,
    *,
    checkers_needed: int | None = None,
) -> None:
    """Note that a run is in another state now; the database refuses a step there is not."""
    await connection.execute(
        sql.STEP,
        {
            "run_id": run_id,
            "to_state": to.value,
            "actor": actor.name,
            "person": actor.person,
            "reason": reason,
            "checkers_needed": checkers_needed,
        },
    )


async def end(connection: AsyncConnection, run_id: UUID, to: RunState, actor: Actor, reason: str) -> None:
    """Reject, cancel or void a run, and with it the previews of later windows that were built on it.

    Raises:
        WindowState: somebody put his name to a run of a later window that builds on this one.
    """
    assert to in DEAD, f"{to} does not end a run"
    await _void_what_builds_on(connection, run_id, actor)
    await step(connection, run_id, to, actor, reason)


async def _void_what_builds_on(connection: AsyncConnection, run_id: UUID, actor: Actor) -> None:
    for later in await _standing_on(connection, run_id):
        if later.state not in PREVIEW:
            raise WindowState(window=f"windows/{later.window_no}", state=later.state, needed=RunState.CALCULATED)
        await _void_what_builds_on(connection, later.run_id, actor)
        await step(connection, later.run_id, RunState.VOIDED, actor, f"runs/{run_id}, which it builds on, has ended")


async def _standing_on(connection: AsyncConnection, run_id: UUID) -> list[Row[Any]]:
    return list(await connection.execute(sql.STANDING_ON, {"run_id": run_id}))
