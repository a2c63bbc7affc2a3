"""A ledger for each test; whatever a test did, the audit finds nothing wrong afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from exchange.ledger.model import Transfer
from tests.database import Databases
from tests.integration.ledger.ledgers import Ledger, a_server_on, differences, found_coalition
from tests.integration.ledger.retiring import an_old_part


@pytest.fixture(scope="session")
async def founded(databases: Databases) -> AsyncIterator[str]:
    """The name of a database with the rulebook's coalition; nobody is connected to it, so that it can be copied."""
    name = await databases.clone()
    await found_coalition(databases.url_of(name))
    yield name
    await databases.drop(name)


@pytest.fixture
async def coalition_url(databases: Databases, founded: str) -> AsyncIterator[str]:
    """A copy of it for one test."""
    name = await databases.clone(founded)
    yield databases.url_of(name)
    await databases.drop(name)


@pytest.fixture
async def ledger(coalition_url: str) -> AsyncIterator[Ledger]:
    """One server on a coalition of its own."""
    async with a_server_on(coalition_url) as ledger:
        yield ledger
    assert await differences(coalition_url) == {}


@pytest.fixture
async def servers(ledger: Ledger) -> AsyncIterator[list[Ledger]]:
    """Two servers on that one database."""
    async with a_server_on(ledger.url) as other:
        yield [ledger, other]


@pytest.fixture
async def old(ledger: Ledger) -> dict[str, Transfer]:
    """Transfers of a part of the ledger that has ended and may leave, by what they are."""
    return await an_old_part(ledger)
