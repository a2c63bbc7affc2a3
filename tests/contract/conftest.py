"""One real server and one coalition for all of these tests; each test enrolls members of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.contract import refusals
from tests.contract.allowed import MERCHANT, ROLES
from tests.contract.cast import Cast, a_cast
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import stop_watching
from tests.database import Databases
from tests.servers import Server, a_server
from tests.worlds import EARNING, EXCHANGE, GENERAL, REDEMPTION, Merchant, Party, World, a_world


def pytest_configure(config: pytest.Config) -> None:
    """Declares this folder's marker."""
    config.addinivalue_line("markers", "provokes(reason): the test meets this ErrorReason on the wire, or fails")


@pytest.fixture(scope="session")
async def server(databases: Databases) -> AsyncIterator[Server]:
    """A sandbox server that all tests share: they add to it, and leave the cast, the clock and each other alone."""
    async with _a_server_of_its_own(databases) as server:
        yield server


@pytest.fixture(scope="session")
async def world(server: Server) -> AsyncIterator[World]:
    """The operator's view of the shared server."""
    async with a_world(server.address, server.operator_secret) as world:
        yield world


@pytest.fixture(scope="session")
async def cast(world: World) -> Cast:
    """The rulebook's merchants on the shared server, with its currencies, prices and rates."""
    return await a_cast(world)


@pytest.fixture(scope="session")
async def callers(world: World) -> dict[str, Party]:
    """One caller of each role on the shared server."""
    others = {role: await world.party(pb.CallerRole.Value(f"CALLER_ROLE_{role}")) for role in ROLES if role != MERCHANT}
    return others | {MERCHANT: await world.merchant("PermitMe", GENERAL)}


@pytest.fixture(scope="session")
async def maker(world: World) -> Party:
    """Somebody at the operator."""
    return await world.party(pb.CALLER_ROLE_OPERATOR)


@pytest.fixture(scope="session")
async def checker(world: World) -> Party:
    """Somebody else at the operator."""
    return await world.party(pb.CALLER_ROLE_OPERATOR)


@pytest.fixture
async def own_server(databases: Databases) -> AsyncIterator[Server]:
    """A sandbox server for one test that moves the clock, breaks something, or counts everything there is."""
    async with _a_server_of_its_own(databases) as server:
        yield server


@pytest.fixture
async def own_world(own_server: Server) -> AsyncIterator[World]:
    """The operator's view of the test's own server."""
    async with a_world(own_server.address, own_server.operator_secret) as world:
        yield world


@pytest.fixture
async def kiosk(cast: Cast, request: pytest.FixtureRequest) -> tuple[Merchant, str]:
    """A merchant that earns, accepts and issues a currency of its own, 100 micro-yuan a point, for one test's caps."""
    name = f"L{abs(hash(request.node.name)) % 10**10}"
    merchant = await cast.world.merchant(name, EARNING, EXCHANGE, REDEMPTION)
    await cast.world.currency(name, merchant, issue=100, redeem=100)
    return merchant, name


@pytest.fixture
async def finance(own_world: World) -> Finance:
    """A coalition in which nothing has moved."""
    return await finance_of(own_world)


@pytest.fixture
async def award(finance: Finance) -> types.Transfer:
    """500 TEL from GRO, for which it owes TEL ¥6.00; the window is open."""
    transfer: types.Transfer = (await finance.cast.gro.earn(finance.member, "500 TEL")).transfer
    return transfer


@asynccontextmanager
async def _a_server_of_its_own(databases: Databases) -> AsyncIterator[Server]:
    name = await databases.clone()
    async with a_server(databases.url_of(name)) as server:
        yield server
    await stop_watching(databases.url_of(name))
    await databases.drop(name)


@pytest.fixture(autouse=True)
def _meets_what_it_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """Holds a test to its `provokes` marker."""
    refusals.met.clear()
    yield
    marker = request.node.get_closest_marker("provokes")
    if marker is not None:
        assert marker.args[0] in refusals.met, f"this test never met {marker.args[0]}"
