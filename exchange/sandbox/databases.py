"""A database for one sandbox: on an embedded PostgreSQL of its own, or a new one on a server that is named."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from exchange.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, start
from exchange.db.embedded_host import ServerUser, home_of, socket_dir_of
from exchange.sandbox.processes import SandboxFailed

_SERVER_URL = "EXCHANGE_DATABASE_URL"
_REMOVALS_MAX = 20
_REMOVAL_PAUSE_SECONDS = 0.1


@asynccontextmanager
async def fresh_database(*, durable: bool) -> AsyncIterator[str]:
    """The URL of an empty database that ends with the block.

    EXCHANGE_DATABASE_URL says on which server to make it; the database it names is only used to ask for the new one.
    An embedded server flushes what it acknowledges only when it is to be `durable`; that makes it slower.

    Raises:
        SandboxFailed: no server, or none that lets us create a database.
    """
    server = os.environ.get(_SERVER_URL)
    if not server:
        async with _own_server(durable=durable) as url:
            yield url
        return
    try:
        address = make_url(server).set(drivername="postgresql+asyncpg")
    except SQLAlchemyError as error:
        raise SandboxFailed(f"{_SERVER_URL} is no database URL") from error
    async with _new_on(address) as url:
        yield url


@asynccontextmanager
async def _own_server(*, durable: bool) -> AsyncIterator[str]:
    folder = _open_folder()
    data_dir = folder / "postgres"
    try:
        server = _started(data_dir, durable=durable)
        try:
            yield server.url
        finally:
            server.stop()
    finally:
        home = home_of(data_dir, ServerUser.current())
        for path in (socket_dir_of(home), home, folder):
            _remove(path)


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="exchange-sandbox-"))
    # When root starts it, PostgreSQL runs as another user, who must be able to walk through.
    folder.chmod(0o711)
    return folder


def _remove(folder: Path) -> None:
    """Remove it for good: the process that looks after PostgreSQL may touch a lock file in it while we are at it."""
    for _ in range(_REMOVALS_MAX):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_REMOVAL_PAUSE_SECONDS)


def _started(data_dir: Path, *, durable: bool) -> EmbeddedPostgres:
    try:
        return start(data_dir, durable=durable)
    except EmbeddedPostgresError as error:
        raise SandboxFailed(str(error)) from error


@asynccontextmanager
async def _new_on(server: URL) -> AsyncIterator[str]:
    name = f"exchange_sandbox_{os.getpid()}_{secrets.token_hex(4)}"
    await _execute(server, f'CREATE DATABASE "{name}"')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        await _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    except (SQLAlchemyError, OSError) as error:
        cause = error.__cause__ or error
        raise SandboxFailed(f"{_SERVER_URL} does not let us: {' '.join(str(cause).split())}") from error
    finally:
        await engine.dispose()
