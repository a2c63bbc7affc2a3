"""What every test may ask for: a server, and a fresh migrated database of its own.

The server is an embedded one, shared by all runs and workers of this user, or the one at EXCHANGE_TEST_DATABASE_URL
(a superuser's address, for it creates databases and roles).
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from exchange.commands import with_driver
from exchange.db.embedded import data_dir, fleeting_dir, start
from tests.database import Databases, databases_on

# Tests start hundreds of programs: without this each would compile the whole project again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def server_url(name: str, *, durable: bool) -> Iterator[str]:
    """The address of the given server, or of an embedded one for as long as the iterator lives."""
    given = os.environ.get("EXCHANGE_TEST_DATABASE_URL")
    if given:
        yield with_driver(given)
        return
    with start(data_dir(name) if durable else fleeting_dir(name), durable=durable) as server:
        yield server.url


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A server for tests, fast because it would not survive a crash of the machine."""
    yield from server_url("postgres-tests", durable=False)


@pytest.fixture(scope="session")
def durable_cluster() -> Iterator[str]:
    """A server that flushes what it acknowledges: for crash tests, and for server processes that insist on it."""
    yield from server_url("postgres-durable-tests", durable=True)


@pytest.fixture(scope="session")
async def databases(cluster: str) -> AsyncIterator[Databases]:
    """The fast server's databases."""
    async with databases_on(cluster) as databases:
        yield databases


@pytest.fixture(scope="session")
async def durable_databases(durable_cluster: str) -> AsyncIterator[Databases]:
    """The durable server's databases."""
    async with databases_on(durable_cluster) as databases:
        yield databases


@pytest.fixture(scope="session")
def template(databases: Databases) -> str:
    """The name of the migrated database this run's databases are cloned from."""
    return databases.template


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A fresh migrated database for one test, as SQLAlchemy takes it; dropped afterwards."""
    name = await databases.clone()
    yield databases.url_of(name)
    await databases.drop(name)


@pytest.fixture
async def durable_database_url(durable_databases: Databases) -> AsyncIterator[str]:
    """The same on the durable server: what `Database.check` accepts."""
    name = await durable_databases.clone()
    yield durable_databases.url_of(name)
    await durable_databases.drop(name)
