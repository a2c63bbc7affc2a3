"""Databases for tests: one server, one migrated template per test run, one fresh clone per test.

Runs share a server, also at the same time. Each worker of a run keeps a connection named after the run open, so a run
is alive as long as one of its connections is: whoever comes next drops what dead runs have left.
"""

import importlib.util
import itertools
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url

PREFIX = "t_"
ONE_AT_A_TIME = 0x7465_7374
"""Advisory lock: one worker sweeps and migrates, the others wait and find it done. Roles belong to the whole server."""


_NUMBERS = itertools.count(1)
"""Numbers of this process's databases: the fast and the durable server may be one and the same."""


class Databases:
    """Makes and drops databases on one server. Build it with `databases_on`."""

    def __init__(
        self, server_url: str, run: str, worker: str, connection: asyncpg.Connection, *, durable: bool
    ) -> None:
        self._server_url = make_url(server_url)
        # Where nothing is flushed, copying files costs less than writing all of them to the log once more.
        self._strategy = "wal_log" if durable else "file_copy"
        self._run = run
        self._worker = worker
        self._connection = connection

    @property
    def template(self) -> str:
        """The name of the migrated database that clones are made from; nobody may be connected to it."""
        return f"{PREFIX}{self._run}_template"

    def url_of(self, database: str) -> str:
        """A database's address for SQLAlchemy."""
        return self._server_url.set(database=database).render_as_string(hide_password=False)

    async def prepare(self) -> None:
        """Drop what dead runs left; migrate the template unless another worker of this run did."""
        await self._connection.execute("SELECT pg_advisory_lock($1)", ONE_AT_A_TIME)
        try:
            await self._sweep()
            if not await self._exists(self.template):
                await self._migrate_template()
        finally:
            await self._connection.execute("SELECT pg_advisory_unlock($1)", ONE_AT_A_TIME)

    async def clone(self, original: str | None = None) -> str:
        """A copy of a database nobody is connected to, else a fresh one with the schema and nothing in it; its name."""
        name = f"{PREFIX}{self._run}_{self._worker}_{next(_NUMBERS)}"
        await self._connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {original or self.template} STRATEGY {self._strategy}"
        )
        return name

    async def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        await self._connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _migrate_template(self) -> None:
        from exchange.db.migrate import migrate

        # Under its final name only when it is whole: a worker killed half-way must not leave a template to clone.
        unfinished = f"{self.template}_unfinished"
        await self.drop(unfinished)
        await self._connection.execute(f"CREATE DATABASE {unfinished}")
        # The exchange is whole without its downstream: with no settlement installed, its own history is all there is.
        settlement = ("settlement.app:extension",) if importlib.util.find_spec("settlement.app") else ()
        migrate(self.url_of(unfinished), settlement)
        await self._connection.execute(f"ALTER DATABASE {unfinished} RENAME TO {self.template}")

    async def _sweep(self) -> None:
        names = await self._connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX)
        clients = await self._connection.fetch("SELECT DISTINCT application_name FROM pg_stat_activity")
        alive = {row["application_name"] for row in clients}
        for (name,) in names:
            if _application_name(name.removeprefix(PREFIX).split("_")[0]) not in alive:
                await self.drop(name)

    async def _exists(self, name: str) -> bool:
        return bool(await self._connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name))


@asynccontextmanager
async def databases_on(server_url: str) -> AsyncIterator[Databases]:
    """Prepare a server for this worker's tests; its last worker to leave is followed by the next run's sweep."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    connection = await asyncpg.connect(
        make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False),
        server_settings={"application_name": _application_name(run)},
    )
    try:
        durable = await connection.fetchval("SHOW fsync") == "on"
        databases = Databases(server_url, run, worker, connection, durable=durable)
        await databases.prepare()
        yield databases
    finally:
        await connection.close()


def _application_name(run: str) -> str:
    return f"tests of run {run}"
