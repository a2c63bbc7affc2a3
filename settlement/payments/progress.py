"""Taking runs along with their payments: instructed, partly settled, settled. The exchange learns what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from settlement.actors import Actor
from settlement.defaults import sql as defaults_sql
from settlement.defaults.reading import claims
from settlement.exchange_directory import coalition
from settlement.exchange_ledger import Discharge, discharge
from settlement.payments import sql
from settlement.payments.model import AttemptState, Leg
from settlement.payments.rules import (
    Booked,
    Ended,
    PaidLess,
    StoodIn,
    ended_by_adjustment,
    ended_by_bearing,
    ended_by_conversion,
    ended_by_default,
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

    The caller takes turns. Debts that were paid, adjusted, rounded away, converted into another currency or covered by
    others no longer stand against anybody's net debit cap. They are told together and last: movements of capped
    merchants wait from then until the transaction ends.
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
    return ended_by_payment(booked) + rounded + converted + adjusted + await _ended_by_defaults(connection, run)


async def _ended_by_defaults(connection: AsyncConnection, run: Run) -> list[Ended]:
    """Of every default on the run: what creditors bear, and where the loss is covered whole what was to be paid."""
    rows = list(await connection.execute(defaults_sql.LEGS, {"run_id": run.run_id}))
    if not rows:
        return []
    found = ended_by_bearing(
        PaidLess(row.proposal_id, row.defaulter, _leg(row, row.participant, row.borne))
        for row in await connection.execute(defaults_sql.BORNE, {"run_id": run.run_id})
    )
    legs: dict[tuple[UUID, str], list[Leg]] = {}
    for row in rows:
        leg = _leg(row, row.payee, row.minor_units)
        legs.setdefault((row.proposal_id, row.currency_code), []).append(leg)
    recovered, written_off, revived = (dict[tuple[UUID, str], dict[UUID, int]]() for _ in range(3))
    for row in await connection.execute(defaults_sql.RECOVERIES, {"run_id": run.run_id}):
        recovered.setdefault((row.default_id, row.currency_code), {})[row.proposal_id] = row.minor_units
        if row.revived:
            revived.setdefault((row.default_id, row.currency_code), {})[row.proposal_id] = row.revived
    for row in await connection.execute(defaults_sql.WRITE_OFFS, {"run_id": run.run_id}):
        written_off.setdefault((row.default_id, row.currency_code), {})[row.proposal_id] = row.minor_units
    operator = (await coalition(connection)).operator
    for claim in await claims(connection, window_no=run.window_no):
        key = (claim.default_id, claim.currency)
        if key in legs and not claim.missing:
            later = (recovered.get(key, {}), written_off.get(key, {}), revived.get(key, {}))
            stood_in = StoodIn(*key, legs[key], claim.claimed, *later)
            found += ended_by_default(claim.participant, operator, [stood_in])
    return found


def _leg(row: Row[Any], payee: str, minor_units: int) -> Leg:
    return Leg(row.leg_no, row.currency_code, row.payer, payee, minor_units)
