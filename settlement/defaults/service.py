"""Use cases of defaults: the drill that touches nothing, and the declaration that posts."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import WindowState
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.defaults import rules, sql
from settlement.defaults.bearing import ENDED, bearers
from settlement.defaults.model import DefaultDeclaration, Recast, Waterfall
from settlement.defaults.reading import claims
from settlement.funds import service as funds
from settlement.funds.model import Purpose
from settlement.payments.files import legs_to_pay
from settlement.payments.model import UNDER_WAY, LegView
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
            await exchange_directory.require_merchant(connection, participant, "participant")
            run = await _standing_run(connection, window_no)
            declaration = await _declaration(connection, participant, run)
            return Drill(run, declaration, rules.recast(await inputs_of(connection, run), participant))


async def planned(connection: AsyncConnection, declaration: DefaultDeclaration) -> DefaultDeclaration:
    """A default with what follows from it now, for the checkers to see.

    Raises:
        ResourceNotFound: there is no such participant or window.
        WindowState: the window has no run that stands, or none that was approved.
        WrongState: it was declared before, there is nothing the participant is still to pay, or a bank has one of its
            payments, or one that would become smaller, and has not answered.
    """
    participant, window_no = declaration.participant, declaration.window_no
    await exchange_directory.require_merchant(connection, participant, "proposal.default_declaration.participant")
    run = await _standing_run(connection, window_no)
    if run.life.state not in INSTRUCTED | {RunState.APPROVED}:
        raise WindowState(window=f"windows/{window_no}", state=run.life.state, needed=RunState.APPROVED)
    key = {"participant": participant, "window_no": window_no}
    if (await connection.execute(sql.DECLARED, key)).first() is not None:
        raise WrongState(resource=declaration.name, state="DECLARED", needed="NOT_DECLARED")
    found = await _declaration(connection, participant, run)
    if not found.waterfalls:
        raise WrongState(resource=declaration.name, state="NOTHING_TO_PAY", needed="TO_PAY")
    smaller = {one.leg_no for fall in found.waterfalls for one in fall.reductions or ()}
    for one in await legs_to_pay(connection, run):
        if one.state in UNDER_WAY and (one.leg.payer == participant or one.leg.leg_no in smaller):
            raise WrongState(resource=declaration.name, state="PAYMENT_UNDER_WAY", needed="REJECTED or RETURNED")
        if one.leg.payer == participant and one.borne and one.state not in ENDED:
            raise WrongState(resource=declaration.name, state="PAYMENT_REDUCED", needed="PAYMENT_WHOLE")
    return found


async def declare(connection: AsyncConnection, proposal_id: UUID, shown: DefaultDeclaration, actor: Actor) -> UUID:
    """Post what was approved, in the transaction that approves it, if it is still what follows; the run it is of.

    From then on the defaulter is not asked for its payments any more: others stand in for them, and creditors who bear
    a part are paid so much less.

    Raises:
        ResourceNotFound, WindowState, WrongState: as `planned`; the state is OUTDATED when funds, terms or payments
            have changed since it was proposed.
    """
    if await planned(connection, shown) != shown:
        raise WrongState(resource=f"proposals/{proposal_id}", state="OUTDATED", needed="WAITING")
    run = await _standing_run(connection, shown.window_no)
    key = {"participant": shown.participant, "window_no": shown.window_no}
    await connection.execute(sql.DECLARE, {**key, "proposal_id": proposal_id, "run_id": run.run_id})
    for leg in (one.leg for one in await _unpaid_legs(connection, shown.participant, run)):
        parties = {"currency_code": leg.currency, "payer": leg.payer, "payee": leg.payee}
        values = {"run_id": run.run_id, "leg_no": leg.leg_no, "proposal_id": proposal_id, **parties}
        await connection.execute(sql.DEFAULT_LEG, {**values, "minor_units": leg.minor_units})
    for fall in shown.waterfalls:
        for one in fall.reductions or ():
            key_of = {"run_id": run.run_id, "leg_no": one.leg_no, "proposal_id": proposal_id}
            less = {"from_attempt": one.from_attempt, "minor_units": one.minor_units}
            await connection.execute(sql.REDUCE_LEG, {**key_of, **less, "currency_code": fall.currency})
    coalition = await exchange_directory.coalition(connection)
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
    legs = await legs_to_pay(connection, run)
    mode = run.configuration.mode
    falls: list[Waterfall] = []
    for currency in (one.currency for one in run.result):
        own = [one for one in legs if one.leg.currency == currency]
        loss = sum(one.leg.minor_units for one in own if one.leg.payer == participant and one.state not in ENDED)
        if loss:
            bore = await _bore(connection, seen.operator, run.window_no, currency)
            bearing = bearers(participant, seen.operator, mode, own, bore)
            terms = seen.terms.of(currency)
            falls.append(rules.waterfall(participant, loss, seen.book, terms, seen.operator, bearing))
    return DefaultDeclaration(participant, run.window_no, run.digest, falls)


async def _bore(connection: AsyncConnection, operator: str, window_no: int, currency: str) -> int:
    """What the operator bears already of what a window's run was to leave it."""
    return sum(
        stake.borne
        for claim in await claims(connection, window_no=window_no)
        for stake in claim.stakes
        if (claim.currency, stake.participant, stake.purpose) == (currency, operator, Purpose.LOSS_REPAID)
    )


async def _unpaid_legs(connection: AsyncConnection, participant: str, run: Run) -> list[LegView]:
    """What a run has somebody pay, no bank has booked and nobody stands in for, payment by payment."""
    found = await legs_to_pay(connection, run)
    return [one for one in found if one.leg.payer == participant and one.state not in ENDED]
