"""Taking a run along with its payments: instructed, partly settled, settled."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.actors import Actor
from settlement.payments import sql
from settlement.payments.model import AttemptState
from settlement.payments.rules import settlement_state
from settlement.run.life import RunState
from settlement.run.service import read_run
from settlement.run.steps import step


async def follow(connection: AsyncConnection, run_id: UUID, actor: Actor) -> None:
    """Bring a run to the state its payments are in; in the caller's transaction, which takes turns."""
    rows = await connection.execute(sql.LEGS, {"run_id": run_id})
    reached = RunState(settlement_state([AttemptState(row.state) for row in rows]))
    run = await read_run(connection, run_id)
    if run.life.state is not reached:
        await step(connection, run_id, reached, actor, "")
