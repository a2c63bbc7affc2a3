"""A real server of the exchange in the test's own event loop, on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from exchange import app
from exchange.api.context import Api
from exchange.callers import Caller, CallerRole
from exchange.config import load_settings
from exchange.db.engine import Database, is_database_down
from exchange.directory import setup
from exchange.directory.authentication import DirectoryAuthenticator
from exchange.directory.service import DirectoryChanges
from exchange.extensions import load
from exchange.rates.service import check_spreads
from exchange.rates.source import CoalitionSource
from exchange.serving.permissions import PERMISSIONS
from exchange.serving.server import GracefulServer
from tests.database import Databases

OPERATOR = "OPR"
TIME_ZONE = "Asia/Shanghai"
# What falls due is done when a test moves the clock, and not in the middle of something else.
DEFAULTS = {
    "port": 0,
    "sandbox": True,
    "drain_seconds": 5.0,
    "due_seconds": 86_400.0,
    "external_seconds": 86_400.0,
    "windows_seconds": 86_400.0,
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that serves.

    Attributes:
        url: its database.
        port: where it listens on 127.0.0.1.
        operator_secret: an operator's API key.
        graceful: the server itself; told to drain when the test has ended.
        api: the use cases behind it.
    """

    url: str
    port: int
    operator_secret: str
    graceful: GracefulServer
    api: Api

    @property
    def address(self) -> str:
        """As a channel takes it."""
        return f"127.0.0.1:{self.port}"


async def a_new_coalition(url: str) -> str:
    """Set up the coalition in a fresh migrated database; the secret of its first operator's key."""
    owner = Database(url, role=None)
    try:
        await setup.set_up(owner, OPERATOR, TIME_ZONE)
    finally:
        await owner.dispose()
    database = Database(url)
    try:
        changes = DirectoryChanges(database, CoalitionSource(database), check_spreads)
        console = Caller(CallerRole.OPERATOR, "console")
        _, secret = await changes.issue_key(console, CallerRole.OPERATOR, None, "first operator", None)
        return secret
    finally:
        await database.dispose()


@asynccontextmanager
async def a_server_of_its_own(databases: Databases) -> AsyncIterator[Server]:
    """Serve from a database that is there for it alone, and gone afterwards."""
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server:
        yield server
    await databases.drop(name)


@asynccontextmanager
async def a_server(url: str, *, operator_secret: str | None = None, **settings: Any) -> AsyncIterator[Server]:
    """Serve from a database until the block ends, put together as `exchange.app.serve` does it.

    Args:
        url: a migrated database.
        operator_secret: a key that is there already; None: the database is fresh and gets its coalition first.
        settings: what differs from the defaults, by field name. A sandbox, unless it says otherwise.
    """
    secret = operator_secret or await a_new_coalition(url)
    chosen = load_settings(**{**DEFAULTS, **settings})
    extensions = load(chosen.service_extensions)
    permissions = dict(PERMISSIONS)
    for extension in extensions:
        permissions |= extension.permissions
    async with app.opened(chosen, url, extensions) as api:
        server = GracefulServer(
            chosen,
            authenticator=DirectoryAuthenticator(api.source),
            is_database_down=is_database_down,
            permissions=permissions,
            gate=api.gate,
        )
        app.register(server, api, extensions, sandbox=chosen.sandbox)
        port = await server.start()
        try:
            yield Server(url, port, secret, server, api)
        finally:
            await server.drain()
