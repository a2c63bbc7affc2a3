"""Taking runs along with their payments: instructed, partly settled, settled. The exchange learns what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.actors import Actor
from settlement.exchange_ledger import Discharge, discharge
from settlement.payments import sql
from settlement.payments.model import AttemptState
from settlement.payments.rules import (
    Booked,
    Ended,
    ended_by_adjustment,
    ended_by_conversion,
    ended_by_payment,
    ended_by_rounding,
    settlement_state,
)
from settlement.payments.telling import Moved, tell_moved
from settlement.run.life import RunState
from settlement.run.model import Run
from settlement.run.service import read_run
from settlement.run.steps import step


async def follow(connection: AsyncConnection, run_ids: Iterable[UUID], actor: Actor, moved: Sequence[Moved]) -> None:
    """Bring runs to the state their payments are in, and tell what `moved`; in the caller's transaction.

    The caller takes turns. Debts that were paid, adjusted, rounded away or converted into another currency no longer
    stand against anybody's net debit cap. They are told together and last: movements of capped merchants wait from then
    until the transaction ends.
    """
    ended: list[Ended] = []
    for run_id in sorted(run_ids):
        rows = await connection.execute(sql.LEGS, {"run_id": run_id})
        reached = RunState(settlement_state([AttemptState(row.state) for row in rows]))
        run = await read_run(connection, run_id)
        if run.life.state is not reached:
            await step(connection, run_id, reached, actor, "")
        ended += await _ended(connection, run)
    await tell_moved(connection, moved)
    await discharge(connection, [Discharge._make(one) for one in ended])


async def _ended(connection: AsyncConnection, run: Run) -> list[Ended]:
    """Every debt the run has ended so far; those that were told before are known by their source."""
    events = await connection.execute(sql.EVENTS, {"run_id": run.run_id})
    booked = [
        Booked(row.end_to_end_id, AttemptState(row.to_state), row.currency_code, row.payer, row.payee, row.minor_units)
        for row in events
    ]
    rounded = [one for each in run.result for one in ended_by_rounding(run.window_no, each.currency, each.residue)]
    converted = [one for each in run.result for one in ended_by_conversion(run.window_no, each.currency, each.legs)]
    adjusted = ended_by_adjustment(run.configuration.disputed.adjustments)
    return ended_by_payment(booked) + rounded + converted + adjusted
