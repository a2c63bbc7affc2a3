"""Shows that a refused call left nothing behind, by looking into the database behind the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url

from tests.servers import Server

# What a posting prepares before it decides (an account without transfers) and what a definite refusal rightly leaves
# (its key) are no change of value.
TABLES = (
    "transfers",
    "lots",
    "accounts t WHERE t.last_sequence > 0",
    "window_totals",
    "daily_conversions",
    "clearing_windows",
    "members",
    "member_links",
    "merchants",
    "currencies",
    "prices",
    "rates",
    "api_keys",
    "coalition",
    "audit_log",
)
EVERYTHING = " UNION ALL ".join(
    f"SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM exchange.{table}"
    + ("" if " t " in table else " t")
    for table in TABLES
)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, as the database's owner."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def nothing_changes(server: Server) -> AsyncIterator[None]:
    """Fails when the block changed anything of value, of the directory or of the log."""
    async with connected(server.url) as connection:
        before = await connection.fetch(EVERYTHING)
        yield
        after = await connection.fetch(EVERYTHING)
    assert [tuple(row) for row in after] == [tuple(row) for row in before]


async def keys_used(server: Server, request_id: str) -> int:
    """How many merchants' requests with this key were decided for ever."""
    async with connected(server.url) as connection:
        return int(
            await connection.fetchval("SELECT count(*) FROM exchange.request_keys WHERE request_id = $1", request_id)
        )
