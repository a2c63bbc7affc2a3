"""Use cases of runs: start one, read one."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound, WindowState
from settlement import exchange_ledger
from settlement.run import sql
from settlement.run.model import Configuration, Run
from settlement.run.rules import calculate, canonical, digest_of, parsed


class Runs:
    """Netting closed windows, in order: what one window carries comes into the next."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, window_no: int, configuration: Configuration, created_by: str) -> tuple[Run, bool]:
        """Net a closed window; (…, True) when this very run had been made before.

        Raises:
            ResourceNotFound: there is no such window.
            WindowState: it is open, the window before it was never run, or a later one was, which built on this one.
        """
        async with self._database.write() as connection:
            await connection.execute(sql.ONE_AT_A_TIME, {"window_no": window_no})
            window = await exchange_ledger.read_window(connection, window_no, "window")
            if window.closed_at is None:
                raise WindowState(window=window.name, state="OPEN", needed="CLOSED")
            before = await self._before(connection, window_no)
            identity = {
                "window_no": window_no,
                "configuration": _written(configuration),
                "before_run": before.run_id if before else None,
            }
            same = (await connection.execute(sql.SAME_RUN, identity)).first()
            if same is not None:
                return _run(same), True
            later = await connection.execute(sql.NEWEST_OF_WINDOW, {"window_no": window_no + 1})
            if later.first() is not None:
                raise WindowState(window=f"windows/{window_no + 1}", state="CALCULATED", needed="CLOSED")
            document = await self._document(connection, window_no, configuration, before)
            run_id = uuid4()
            values = {"run_id": run_id, "result": document.decode(), "digest": digest_of(document)}
            await connection.execute(sql.ADD, {**identity, **values, "created_by": created_by})
            return _run((await connection.execute(sql.RUN, {"run_id": run_id})).one()), False

    async def _before(self, connection: AsyncConnection, window_no: int) -> Run | None:
        """The run of the window before, whose carried items come in."""
        if window_no == 1:
            return None
        row = (await connection.execute(sql.NEWEST_OF_WINDOW, {"window_no": window_no - 1})).first()
        if row is None:
            raise WindowState(window=f"windows/{window_no - 1}", state="CLOSED", needed="CALCULATED")
        return _run(row)

    async def _document(
        self, connection: AsyncConnection, window_no: int, configuration: Configuration, before: Run | None
    ) -> bytes:
        totals = await exchange_ledger.pair_micros(connection, window_no)
        carried_in = [(one.currency, item) for one in (before.result if before else ()) for item in one.carried]
        operator = await exchange_ledger.operator_id(connection)
        result = calculate(totals, carried_in, configuration, operator)
        return canonical(window_no, configuration, before.digest if before else None, result)

    async def read(self, run_id: UUID, field: str = "name") -> Run:
        """A run by id; `field` named it.

        Raises:
            ResourceNotFound: there is none.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(sql.RUN, {"run_id": run_id})).first()
        if row is None:
            raise ResourceNotFound(resource=f"runs/{run_id}", field=field)
        return _run(row)

    async def newest(self, window_no: int) -> Run:
        """The newest run of a window.

        Raises:
            ResourceNotFound: it was never run.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(sql.NEWEST_OF_WINDOW, {"window_no": window_no})).first()
        if row is None:
            raise ResourceNotFound(resource=f"windows/{window_no}/runs", field="window")
        return _run(row)


def _written(configuration: Configuration) -> str:
    minimums = {code: least for code, least in sorted(configuration.minimums.items()) if least}
    return json.dumps({"mode": configuration.mode, "minimums": minimums}, sort_keys=True)


def _run(row: Row[Any]) -> Run:
    asked = json.loads(row.configuration)
    return Run(
        run_id=row.run_id,
        window_no=row.window_no,
        configuration=Configuration(asked["mode"], asked["minimums"]),
        digest=row.digest,
        created_at=row.created_at,
        created_by=row.created_by,
        result=parsed(row.result),
    )
