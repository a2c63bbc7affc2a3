"""A server with a settlement to work on, and the database behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.paid import Treasury, treasury_of
from tests.contract.settled import Finance, finance_of
from tests.servers import Server, a_server
from tests.worlds import a_world


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[Server]:
    """A sandbox server for one test."""
    async with a_server(database_url) as server:
        yield server


@pytest.fixture
async def finance(server: Server) -> AsyncIterator[Finance]:
    """Finance of a coalition in whose first window GRO owes TEL ¥6.00; the window is closed."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await finance.cast.gro.earn(finance.member, "500 TEL")
        await finance.close("windows/1")
        yield finance


@pytest.fixture
async def treasury(server: Server) -> AsyncIterator[Treasury]:
    """A treasury whose first window had the rulebook's period A and is closed."""
    async with a_world(server.address, server.operator_secret) as world:
        yield await treasury_of(world)
