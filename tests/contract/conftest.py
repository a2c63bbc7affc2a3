"""One real server, one database and one coalition for each file of tests; every test enrolls members of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract import refusals
from tests.contract.cast import Cast, a_cast
from tests.database import Databases
from tests.servers import Server, a_server
from tests.worlds import World, a_world


def pytest_configure(config: pytest.Config) -> None:
    """Declares this folder's marker."""
    config.addinivalue_line("markers", "provokes(reason): the test meets this ErrorReason on the wire, or fails")


@pytest.fixture(scope="module")
async def fresh_url(databases: Databases) -> AsyncIterator[str]:
    """A database for the whole file."""
    name = await databases.clone()
    yield databases.url_of(name)
    await databases.drop(name)


@pytest.fixture(scope="module")
async def server(fresh_url: str) -> AsyncIterator[Server]:
    """A sandbox server for the whole file."""
    async with a_server(fresh_url) as server:
        yield server


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    """The operator's view of the file's server."""
    async with a_world(server.address, server.operator_secret) as world:
        yield world


@pytest.fixture(scope="module")
async def cast(world: World) -> Cast:
    """The rulebook's merchants, with its currencies, prices and rates."""
    return await a_cast(world)


@pytest.fixture(autouse=True)
def _meets_what_it_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """Holds a test to its `provokes` marker."""
    refusals.met.clear()
    yield
    marker = request.node.get_closest_marker("provokes")
    if marker is not None:
        assert marker.args[0] in refusals.met, f"this test never met {marker.args[0]}"
