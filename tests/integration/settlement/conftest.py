"""A server with a settlement to work on, and the database behind it; an evidence pack of one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from exchange.db.engine import Database
from settlement.evidence.service import Evidence
from tests.banks import Booking, debit, statement
from tests.contract.paid import Treasury, treasury_of
from tests.contract.settled import Finance, finance_of
from tests.database import Databases
from tests.integration.settlement.packs import Packed
from tests.servers import Server, a_server, a_server_of_its_own
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


@pytest.fixture(scope="module")
async def packed(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Packed]:
    """Period A approved, instructed, booked but for one payment; a fee that somebody looked at."""
    root = tmp_path_factory.mktemp("packs")
    async with (
        a_server_of_its_own(databases) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        treasury = await treasury_of(world)
        _, told = await treasury.instructed()
        first, *others = [debit(order) for order in told.values()]
        fee = Booking("622200000001", "DBIT", "25.00", reference="FEE")
        await treasury.record(statement(first, *others[1:], fee))
        (found,) = await treasury.exceptions()
        await treasury.resolve(found, note="=monthly fee of the bank")
        database = Database(server.url)
        for target in (root / "folder", root / "pack.zip"):
            await Evidence(database).write(1, target)
        await database.dispose()
        yield Packed(root / "folder", root / "pack.zip", server, treasury)
