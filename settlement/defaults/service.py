"""Use cases of defaults: the drill that touches nothing, and the declaration that posts."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import WindowState
from settlement import exchange_ledger
from settlement.actors import Actor
from settlement.defaults import rules, sql
from settlement.defaults.model import DefaultDeclaration, Recast, Waterfall
from settlement.funds import service as funds
from settlement.payments.files import legs_paid
from settlement.payments.model import UNDER_WAY, AttemptState, Leg
from settlement.payments.rules import legs_of
from settlement.refusals import WrongState
from settlement.run import sql as run_sql
from settlement.run.life import DEAD, INSTRUCTED, RunState
from settlement.run.model import Run
from settlement.run.service import inputs_of, read_run


class Drill(NamedTuple):
    """What a default would come to: a run, the waterfalls as they would be posted, and the recast beside them."""

    run: Run
    declaration: DefaultDeclaration
    recast: Recast


class Defaults:
    """Trying a default out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def drill(self, participant: str, window_no: int) -> Drill:
        """What would follow if a participant did not pay what a window's run asks of it. Reads only.

        Raises:
            ResourceNotFound: there is no such participant or window.
            WindowState: the window has no run that stands.
        """
        async with self._database.read() as connection:
            await exchange_ledger.require_merchant(connection, participant, "participant")
            run = await _standing_run(connection, window_no)
            declaration = await _declaration(connection, participant, run)
            return Drill(run, declaration, rules.recast(await inputs_of(connection, run), participant))


async def planned(connection: AsyncConnection, declaration: DefaultDeclaration) -> DefaultDeclaration:
    """A default with what follows from it now, for the checkers to see.

    Raises:
        ResourceNotFound: there is no such participant or window.
        WindowState: the window has no run that stands, or none that was approved.
        WrongState: it was declared before, or there is nothing the participant is still to pay.
    """
    participant, window_no = declaration.participant, declaration.window_no
    await exchange_ledger.require_merchant(connection, participant, "proposal.default_declaration.participant")
    run = await _standing_run(connection, window_no)
    if run.life.state not in INSTRUCTED | {RunState.APPROVED}:
        raise WindowState(window=f"windows/{window_no}", state=run.life.state, needed=RunState.APPROVED)
    key = {"participant": participant, "window_no": window_no}
    if (await connection.execute(sql.DECLARED, key)).first() is not None:
        raise WrongState(resource=declaration.name, state="DECLARED", needed="NOT_DECLARED")
    found = await _declaration(connection, participant, run)
    if not found.waterfalls:
        raise WrongState(resource=declaration.name, state="NOTHING_TO_PAY", needed="TO_PAY")
    if any(state in UNDER_WAY for _, state in await _unpaid_legs(connection, participant, run)):
        raise WrongState(resource=declaration.name, state="PAYMENT_UNDER_WAY", needed="REJECTED or RETURNED")
    return found


async def declare(connection: AsyncConnection, proposal_id: UUID, shown: DefaultDeclaration, actor: Actor) -> UUID:
    """Post what was approved, in the transaction that approves it, if it is still what follows; the run it is of.

    From then on the defaulter is not asked for its payments any more: others stand in for them.

    Raises:
        ResourceNotFound, WindowState, WrongState: as `planned`; the state is OUTDATED when funds, terms or payments
            have changed since it was proposed.
    """
    if await planned(connection, shown) != shown:
        raise WrongState(resource=f"proposals/{proposal_id}", state="OUTDATED", needed="WAITING")
    run = await _standing_run(connection, shown.window_no)
    key = {"participant": shown.participant, "window_no": shown.window_no}
    await connection.execute(sql.DECLARE, {**key, "proposal_id": proposal_id, "run_id": run.run_id})
    for leg, _ in await _unpaid_legs(connection, shown.participant, run):
        parties = {"currency_code": leg.currency, "payer": leg.payer, "payee": leg.payee}
        values = {"run_id": run.run_id, "leg_no": leg.leg_no, "proposal_id": proposal_id, **parties}
        await connection.execute(sql.DEFAULT_LEG, {**values, "minor_units": leg.minor_units})
    coalition = await exchange_ledger.coalition(connection)
    today = coalition.now.astimezone(coalition.time_zone).date()
    said: dict[str, object] = {"reference": f"windows/{shown.window_no}", "value_date": today}
    await funds.post(connection, proposal_id, shown.postings, actor, said)
    return run.run_id


async def _standing_run(connection: AsyncConnection, window_no: int) -> Run:
    await exchange_ledger.require_closed(connection, window_no, "window")
    row = (await connection.execute(run_sql.NEWEST_OF_WINDOW, {"window_no": window_no})).first()
    if row is None or row.state in DEAD:
        raise WindowState(window=f"windows/{window_no}", state="CLOSED", needed=RunState.CALCULATED)
    return await read_run(connection, row.run_id)


async def _declaration(connection: AsyncConnection, participant: str, run: Run) -> DefaultDeclaration:
    seen = await funds.view(connection)
    losses = await _unpaid(connection, participant, run)
    falls: list[Waterfall] = [
        rules.waterfall(
            participant,
            losses[one.currency],
            seen.book,
            seen.terms.of(one.currency),
            seen.operator,
            rules.paid_to(one),
        )
        for one in run.result
        if losses.get(one.currency)
    ]
    return DefaultDeclaration(participant, run.window_no, run.digest, falls)


async def _unpaid(connection: AsyncConnection, participant: str, run: Run) -> dict[str, int]:
    """By currency, what a run has somebody pay, no bank has booked and nobody stands in for."""
    found: dict[str, int] = {}
    for leg, _ in await _unpaid_legs(connection, participant, run):
        found[leg.currency] = found.get(leg.currency, 0) + leg.minor_units
    return found


async def _unpaid_legs(connection: AsyncConnection, participant: str, run: Run) -> list[tuple[Leg, AttemptState]]:
    """The same payment by payment, each with how far it is."""
    if run.life.state in INSTRUCTED:
        legs = [(view.leg, view.state) for view in await legs_paid(connection, run.run_id)]
    else:
        defaulted = {row.leg_no for row in await connection.execute(sql.LEGS, {"run_id": run.run_id})}
        legs = [
            (leg, AttemptState.COVERED if leg.leg_no in defaulted else AttemptState.CREATED)
            for leg in legs_of(run.result)
        ]
    ended = {AttemptState.SETTLED, AttemptState.COVERED, AttemptState.UNCOVERED}
    return [(leg, state) for leg, state in legs if leg.payer == participant and state not in ended]
