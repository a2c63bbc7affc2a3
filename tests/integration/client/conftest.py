"""A server and its coalition for each file of tests."""

from collections.abc import AsyncIterator

import pytest

from tests.database import Databases
from tests.servers import Server, a_server_of_its_own
from tests.worlds import World, a_world


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[Server]:
    """A server all tests here share."""
    async with a_server_of_its_own(databases) as server:
        yield server


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    """Its coalition, seen by the operator."""
    async with a_world(server.address, server.operator_secret) as world:
        yield world
