"""Use cases of runs: start one, read one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound, WindowState
from settlement import exchange_directory, exchange_ledger
from settlement.actors import Actor
from settlement.disputes.ending import overtake
from settlement.disputes.inputs import disputed
from settlement.fx.model import FxChoice, FxTerms
from settlement.proposals.model import Terms
from settlement.proposals.standing import exclusions, fx_set_in_force, standing
from settlement.run import sql
from settlement.run.asked import Asked, resolved
from settlement.run.canonical import canonical, configuration_of, digest_of, parsed, written
from settlement.run.life import DEAD, INSTRUCTED, RunState
from settlement.run.model import Configuration, Run
from settlement.run.rules import Inputs, calculate
from settlement.run.steps import end, life_of, take_turns
from settlement.windows.dates import due_of


class Runs:
    """Netting closed windows, in order: what one window carries comes into the next."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, window_no: int, asked: Asked, actor: Actor, *, only_first: bool = False) -> tuple[Run, bool]:
        """Net a closed window; (…, True) when its newest run is this very one. Another one voids that run.

        With `only_first` whatever run the window has had is answered, and none is made beside it.

        Raises:
            ResourceNotFound: there is no such window.
            WindowState: it is open or was instructed, the window before it has no run that stands, or a later one has,
                built on this.
            InvalidField: the legal model does not go with the mode, or the mode with conversion.
            FxRateMissing, AmountOverflow: a position cannot be converted into the currency somebody chose.
        """
        async with self._database.write() as connection:
            await take_turns(connection)
            window = await exchange_ledger.read_window(connection, window_no, "window")
            if window.closed_at is None:
                raise WindowState(window=window.name, state="OPEN", needed="CLOSED")
            before = await self._before(connection, window_no)
            configuration = await _resolved(connection, asked, window_no, actor)
            identity = {
                "window_no": window_no,
                "configuration": json.dumps(written(configuration), sort_keys=True),
                "before_run": before.run_id if before else None,
            }
            newest = (await connection.execute(sql.NEWEST_OF_WINDOW, {"window_no": window_no})).first()
            if newest is not None and only_first:
                return await _run(connection, newest), True
            if newest is not None and newest.state not in DEAD:
                if (newest.configuration, newest.before_run) == (identity["configuration"], identity["before_run"]):
                    return await _run(connection, newest), True
                await self._give_way(connection, newest, actor)
            inputs = await _inputs(connection, window_no, window.closed_at, configuration, before)
            document = canonical(inputs, before.digest if before else None, calculate(inputs))
            run_id = uuid4()
            made = {"result": document.decode(), "digest": digest_of(document), "closed_on": inputs.closed_on}
            by = {"created_by": actor.name, "created_person": actor.person}
            await connection.execute(sql.ADD, {"run_id": run_id, **identity, **made, **by})
            return await read_run(connection, run_id), False

    async def _before(self, connection: AsyncConnection, window_no: int) -> Run | None:
        """The run of the window before, whose carried items come in."""
        if window_no == 1:
            return None
        row = (await connection.execute(sql.NEWEST_OF_WINDOW, {"window_no": window_no - 1})).first()
        if row is None or row.state in DEAD:
            raise WindowState(window=f"windows/{window_no - 1}", state="CLOSED", needed="CALCULATED")
        return await _run(connection, row)

    async def _give_way(self, connection: AsyncConnection, newest: Row[Any], actor: Actor) -> None:
        """Void the run that stands, unless money was instructed or the next window was built on it."""
        if newest.state in INSTRUCTED:
            raise WindowState(window=f"windows/{newest.window_no}", state=newest.state, needed=RunState.APPROVED)
        later = (await connection.execute(sql.STANDING_ON, {"run_id": newest.run_id})).first()
        if later is not None:
            raise WindowState(window=f"windows/{later.window_no}", state=later.state, needed="CLOSED")
        await end(connection, newest.run_id, RunState.VOIDED, actor, "another run of the window")

    async def read(self, run_id: UUID, field: str = "name") -> Run:
        """A run by id; `field` named it.

        Raises:
            ResourceNotFound: there is none.
        """
        async with self._database.read() as connection:
            return await read_run(connection, run_id, field)

    async def newest(self, window_no: int) -> Run:
        """The newest run of a window.

        Raises:
            ResourceNotFound: it was never run.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(sql.NEWEST_OF_WINDOW, {"window_no": window_no})).first()
            if row is None:
                raise ResourceNotFound(resource=f"windows/{window_no}/runs", field="window")
            return await _run(connection, row)

    async def newest_standing(self) -> Run | None:
        """The run of the latest window that has one that stands; None: there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(sql.NEWEST_STANDING)).first()
            return await _run(connection, row) if row is not None else None


async def _resolved(connection: AsyncConnection, asked: Asked, window_no: int, actor: Actor) -> Configuration:
    """What is asked, with what holds now for the coalition and for the window."""
    terms = await standing(connection, Terms)
    due = await due_of(connection, window_no)
    fx = await _fx_terms(connection, terms[1].fx) if terms and terms[1].fx else None
    excluded = await exclusions(connection)
    suspended = await exchange_directory.suspended(connection)
    configuration = resolved(asked, terms[1] if terms else None, excluded, due, window_no, fx, suspended)
    await overtake(connection, window_no, actor)
    return replace(configuration, disputed=await disputed(connection, window_no))


async def _fx_terms(connection: AsyncConnection, choice: FxChoice) -> FxTerms:
    """What was agreed about currencies, with the newest version of the set, which is frozen into the run."""
    found = await fx_set_in_force(connection, choice.fx_set)
    assert found is not None, f"terms were approved that name {choice.fx_set}, of which there is no version"
    return FxTerms(found.fx, found.digest, choice.basis, choice.into)


async def _inputs(
    connection: AsyncConnection, window_no: int, closed_at: datetime, configuration: Configuration, before: Run | None
) -> Inputs:
    coalition = await exchange_directory.coalition(connection)
    return Inputs(
        window_no=window_no,
        closed_on=closed_at.astimezone(coalition.time_zone).date(),
        totals=await exchange_ledger.pair_micros(connection, window_no),
        before=before.result if before else (),
        configuration=configuration,
        operator=coalition.operator,
    )


async def inputs_of(connection: AsyncConnection, run: Run) -> Inputs:
    """What a stored run was made of."""
    window = await exchange_ledger.require_closed(connection, run.window_no, "window")
    assert window.closed_at is not None
    before = await read_run(connection, run.before_run) if run.before_run else None
    return await _inputs(connection, run.window_no, window.closed_at, run.configuration, before)


async def read_run(connection: AsyncConnection, run_id: UUID, field: str = "name") -> Run:
    """A run by id, as the caller's transaction sees it; `field` named it.

    Raises:
        ResourceNotFound: there is none.
    """
    row = (await connection.execute(sql.RUN, {"run_id": run_id})).first()
    if row is None:
        raise ResourceNotFound(resource=f"runs/{run_id}", field=field)
    return await _run(connection, row)


async def _run(connection: AsyncConnection, row: Row[Any]) -> Run:
    closed_on = row.closed_on or row.created_at.date()
    return Run(
        run_id=row.run_id,
        window_no=row.window_no,
        configuration=configuration_of(json.loads(row.configuration)),
        digest=row.digest,
        created_at=row.created_at,
        created_by=row.created_by,
        result=parsed(row.result, closed_on),
        closed_on=closed_on,
        life=await life_of(connection, row.run_id),
        before_run=row.before_run,
    )
