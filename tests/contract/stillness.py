"""Shows that a refused call left nothing behind, by looking into the database behind the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url

from exchange.ledger.sql import FENCE
from tests.servers import Server

# What a posting prepares before it decides (an account without transfers) and what a definite refusal rightly leaves
# (its key) are no change of value.
IGNORED = {"request_keys", "alembic_version"}
ONLY = {"accounts": "WHERE t.last_sequence > 0"}
# Whoever was alone behind the fence is counted, whether or not anything was left to be done there.
UNCOUNTED = {"coalition": "(to_jsonb(t) - 'generation')::text"}
TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('exchange', 'settlement') ORDER BY 1, 2"


def _plain(url: str) -> str:
    """SQLAlchemy's address as asyncpg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, as the database's owner."""
    connection = await asyncpg.connect(_plain(url))
    try:
        yield connection
    finally:
        await connection.close()


_watching: dict[str, asyncpg.Connection] = {}
"""Connections to databases that tests look into again and again."""


async def _watcher(url: str) -> asyncpg.Connection:
    if url not in _watching:
        _watching[url] = await asyncpg.connect(_plain(url))
    return _watching[url]


async def stop_watching(url: str) -> None:
    """To be called before the database is dropped."""
    if url in _watching:
        await _watching.pop(url).close()


@asynccontextmanager
async def nothing_changes(server: Server) -> AsyncIterator[None]:
    """Fails when the block changed anything of value, of the directory or of the log: any table but the keys'."""
    watcher = await _watcher(server.url)
    before = await _everything(watcher)
    yield
    after = await _everything(watcher)
    assert after == before


async def _everything(connection: asyncpg.Connection) -> dict[str, tuple[int, str]]:
    """Number and digest of the rows of each table."""
    tables = [(schema, table) for schema, table in await connection.fetch(TABLES) if table not in IGNORED]
    rows = await connection.fetch(
        " UNION ALL ".join(
            f"SELECT '{schema}.{table}', count(*), md5(string_agg({shown}, ' ' ORDER BY {shown}))"
            f" FROM {schema}.{table} t {ONLY.get(table, '')}"
            for schema, table in tables
            for shown in [UNCOUNTED.get(table, "t::text")]
        )
    )
    return {table: (count, digest) for table, count, digest in rows}


async def keys_used(server: Server, request_id: str) -> int:
    """How many merchants' requests with this key were decided for ever."""
    question = "SELECT count(*) FROM exchange.request_keys WHERE request_id = $1"
    return int(await (await _watcher(server.url)).fetchval(question, request_id))


@asynccontextmanager
async def standing_still(server: Server) -> AsyncIterator[None]:
    """Within the block no posting is decided: somebody else holds the ledger's fence."""
    async with connected(server.url) as connection:
        await connection.execute(f"SELECT pg_advisory_lock({FENCE})")
        yield
        await connection.execute(f"SELECT pg_advisory_unlock({FENCE})")
