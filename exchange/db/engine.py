"""The one pool of database connections, and what is checked before anything is served from it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from exchange.db.migrate import History, outstanding

if TYPE_CHECKING:
    DriverConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    # Generic for the type checker only.
    DriverConnection = asyncpg.Connection

ACQUIRE_TIMEOUT_S = 5.0
SERVER_ROLE = "exchange_server"
DURABILITY = {"fsync": "on", "full_page_writes": "on"}
SYNCHRONOUS = frozenset({"on", "remote_write", "remote_apply", "local"})


class StartRefused(Exception):
    """The database is not fit to hold value. The text says what to mend."""


class Database:
    """Connections of one process. Transactions begin and commit here and nowhere else.

    Attributes:
        keeps_sessions: whether a statement finds what an earlier one on its connection has set; not so behind a pooler
            that parts statements from connections.

    Args:
        url: SQLAlchemy URL with the asyncpg driver.
        pool_size: connections kept for reads and use cases; posters' lanes come on top.
        statement_cache_size: prepared statements kept on each connection; 0 behind an old pgbouncer.
        role: the database role every connection takes on; None keeps the login role (owner's tools only).
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, statement_cache_size: int = 200, role: str | None = SERVER_ROLE
    ) -> None:
        self.keeps_sessions = statement_cache_size > 0
        settings = {"application_name": "points-exchange", "jit": "off", "timezone": "UTC"}
        if role:
            settings["role"] = role
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=8,
            pool_timeout=ACQUIRE_TIMEOUT_S,
            pool_pre_ping=False,
            connect_args={
                "server_settings": settings,
                "statement_cache_size": statement_cache_size,
                "prepared_statement_cache_size": statement_cache_size,
                "timeout": ACQUIRE_TIMEOUT_S,
            },
        )

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One snapshot for everything read inside; nothing can be written."""
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextlib.asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncConnection]:
        """For a single statement: it is its own transaction, and costs one round trip."""
        async with self.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One READ COMMITTED transaction: commits when the block ends, rolls back when it raises."""
        async with self.engine.begin() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def lane(self) -> AsyncIterator[DriverConnection]:
        """A driver connection for a poster, which speaks arrays and begins and ends its own transactions."""
        async with self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            assert driver is not None
            try:
                yield driver
            except BaseException:
                # A broken lane must not go back to the pool half-way through a transaction.
                await connection.invalidate()
                raise

    async def check(self, histories: Sequence[History], *, durable: bool = True) -> None:
        """Refuse to serve from a database that could lose what it acknowledged, or whose schema is behind.

        Args:
            histories: what must be up to date.
            durable: whether what is acknowledged must survive a crash; only a sandbox may do without.

        Raises:
            StartRefused: says which setting or migration.
        """
        try:
            async with self.engine.connect() as connection:
                await _require_fit(connection, histories, durable=durable)
        except (DBAPIError, OSError, PoolTimeout) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise StartRefused(f"the database cannot be used: {cause} (a new one needs migrate first)") from None

    async def dispose(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def _require_fit(connection: AsyncConnection, histories: Sequence[History], *, durable: bool) -> None:
    if durable:
        await _require_durability(connection)
    for history in histories:
        if missing := await connection.run_sync(outstanding, history):
            raise StartRefused(f"schema {history.schema} lacks revision {', '.join(missing)}: run migrate first")
    if (await connection.execute(text("SELECT count(*) FROM exchange.coalition"))).scalar_one() == 0:
        raise StartRefused("the coalition was never set up: run migrate first")


async def _require_durability(connection: AsyncConnection) -> None:
    for setting, wanted in DURABILITY.items():
        value = (await connection.execute(text(f"SHOW {setting}"))).scalar_one()
        if value != wanted:
            raise StartRefused(f"PostgreSQL runs with {setting} = {value}: what is acknowledged could be lost")
    value = (await connection.execute(text("SHOW synchronous_commit"))).scalar_one()
    if value not in SYNCHRONOUS:
        raise StartRefused(f"PostgreSQL runs with synchronous_commit = {value}: OK would not mean durable")


DOWN = (
    PoolTimeout,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # A plain Exception that asyncpg raises when PostgreSQL dies in the middle of an answer.
    asyncpg.exceptions.InternalClientError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.TooManyConnectionsError,
)


def is_database_down(error: BaseException) -> bool:
    """Whether an exception means that the database does not answer, so that the outcome is unknown."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        driver_error = error.orig.__cause__ if error.orig is not None else None
        return isinstance(driver_error, DOWN)
    return isinstance(error, DOWN)
