"""The fixtures' own promise: no test sees what another one left."""

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.database import Databases


async def ask(url: str, question: str) -> object:
    """The single value a query yields."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.mark.parametrize("attempt", ["first", "second"])
async def test_every_test_gets_a_database_of_its_own(database_url: str, attempt: str) -> None:
    """Each of the two attempts creates the same table; the second would fail in a shared database."""
    await ask(database_url, f"CREATE TABLE traces AS SELECT '{attempt}' AS left_by")

    assert await ask(database_url, "SELECT left_by FROM traces") == attempt


async def test_a_fresh_database_has_the_schema(database_url: str) -> None:
    """It is a clone of the migrated template."""
    assert await ask(database_url, "SELECT count(*) > 0 FROM pg_tables WHERE schemaname = 'exchange'")


async def test_the_durable_database_flushes_what_it_acknowledges(durable_database_url: str) -> None:
    """Else a crash test would prove nothing."""
    assert await ask(durable_database_url, "SHOW fsync") == "on"
    assert await ask(durable_database_url, "SHOW synchronous_commit") == "on"


async def test_databases_of_a_dead_run_are_dropped(databases: Databases, cluster: str) -> None:
    """A killed test run cannot clean up; the next one does it, and keeps what living runs use."""
    await ask(cluster, "DROP DATABASE IF EXISTS t_dead_main_1")
    await ask(cluster, "CREATE DATABASE t_dead_main_1")

    await databases.prepare()

    assert not await ask(cluster, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = 't_dead_main_1')")
    assert await ask(cluster, f"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{databases.template}')")
