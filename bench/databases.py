"""The PostgreSQL of a run: an embedded one with full durability, and a database for each thing that is measured."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from bench.processes import BenchFailed
from exchange.db import embedded

_WIDE = Path(__file__).parent / "baselines" / "wide.sql"
_NAMES = ("exchange", "orm", "wide", "hordak")
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_REMOVE_SECONDS_MAX = 5.0
_POLL_SECONDS = 0.1
_SHOWN = (*_DURABLE, "server_version", "shared_buffers", "max_wal_size", "wal_compression", "jit", "max_connections")


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the databases are, the server's first process, and the settings worth knowing."""

    exchange: str
    orm: str
    wide: str
    hordak: str
    pid: int
    settings: dict[str, str]


@contextlib.contextmanager
def durable_postgres() -> Iterator[Databases]:
    """A fresh cluster that loses nothing in a crash; it is gone when the block ends.

    Raises:
        BenchFailed: it runs without full durability: nothing measured on it would count.
    """
    folder = Path(tempfile.mkdtemp(prefix="exchange-bench-"))
    # When root starts it, PostgreSQL runs as another user, who must be able to walk through.
    folder.chmod(0o711)
    try:
        with embedded.start(folder / "postgres", durable=True) as server:
            pid = server.pid
            assert pid is not None, "it has just been started"
            settings = asyncio.run(_prepare(server))
            off = [name for name in _DURABLE if settings[name] != "on"]
            if off:
                raise BenchFailed(f"PostgreSQL runs without {', '.join(off)}")
            exchange, orm, wide, hordak = map(server.url_of, _NAMES)
            yield Databases(exchange, orm, wide, hordak, pid, settings)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Delete the cluster; the process that guards it may still be closing its locks, so more than once if need be."""
    give_up = time.monotonic() + _REMOVE_SECONDS_MAX
    while folder.exists() and time.monotonic() < give_up:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_POLL_SECONDS)


async def _prepare(server: embedded.EmbeddedPostgres) -> dict[str, str]:
    """Create the databases, fill the hand-written one, and read the settings."""
    connection = await asyncpg.connect(_dsn(server.url))
    try:
        for name in _NAMES:
            await connection.execute(f"CREATE DATABASE {name}")
        settings = {name: str(await connection.fetchval(f"SHOW {name}")) for name in _SHOWN}
    finally:
        await connection.close()
    wide = await asyncpg.connect(_dsn(server.url_of("wide")))
    try:
        for statement in _WIDE.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                await wide.execute(statement)
    finally:
        await wide.close()
    return settings


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
