"""Payments and net debit caps: what is booked is owed no longer."""

from collections.abc import Iterable
from runpy import run_path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from exchange.v1 import limit_service_pb2 as limits
from settlement.app import MIGRATIONS
from tests.banks import comes_back, debit, statement
from tests.contract.paid import Treasury, treasury_of
from tests.servers import Server
from tests.worlds import World


@pytest.fixture
async def treasury(own_world: World) -> Treasury:
    """Period A, closed."""
    return await treasury_of(own_world)


async def test_what_banks_book_no_longer_stands_against_a_cap(treasury: Treasury) -> None:
    """The whole payment and what rounding left; a return is owed again, and paying anew pays it. Nothing is residue."""
    world = treasury.finance.cast.world
    exposures = {name: await capped(world, name) for name in ("GRO", "OPR", "TEL")}
    run, ordered = await treasury.instructed()
    order = ordered["GRO", "OPR"]

    await treasury.record(statement(debit(order)))
    paid = await exposures_of(world, exposures)
    await treasury.record(statement(debit(order), comes_back(order)))
    returned = await exposures_of(world, exposures)
    (again,) = await treasury.retry(run)
    anew = await treasury.ordered(again)
    await treasury.record(statement(debit(anew["GRO", "OPR"])))
    settled = await exposures_of(world, exposures)

    assert exposures == {"GRO": 716_550_000, "OPR": 0, "TEL": -1_016_550_000}
    assert paid == settled == {"GRO": 0, "OPR": 716_550_000, "TEL": -1_016_550_000}
    assert returned == exposures


async def test_what_was_paid_before_there_were_caps_is_told_when_the_schema_is_brought_up(
    treasury: Treasury, own_server: Server
) -> None:
    """The migration writes what every booking and rounding writes since."""
    _, ordered = await treasury.instructed()
    order = ordered["GRO", "OPR"]
    await treasury.record(statement(debit(order), debit(ordered["CAF", "OPR"]), comes_back(order)))
    told = "SELECT source, debtor_no, creditor_no, currency_code, micros FROM exchange.discharges ORDER BY 1, 2, 3"
    engine = create_async_engine(own_server.url)
    async with engine.begin() as connection:
        since = (await connection.execute(text(told))).all()
        await connection.execute(text("DELETE FROM exchange.discharges"))

    async with engine.begin() as connection:
        await connection.run_sync(_brought_up)
        again = (await connection.execute(text(told))).all()

    await engine.dispose()
    assert len(since) == 3
    assert again == since


def _brought_up(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        run_path(str(MIGRATIONS / "0008_discharges.py"))["upgrade"]()


async def capped(world: World, merchant: str) -> int:
    """Set a cap; micro-yuan the merchant owes, below zero what it is owed."""
    request = limits.SetNetDebitCapRequest(merchant=f"merchants/{merchant}", currency_code="CNY", reason="test")
    exposure = (await world.operator.ask(world.stubs.limits.SetNetDebitCap, request)).exposure
    return int(exposure.owed_micros - exposure.due_micros)


async def exposures_of(world: World, merchants: Iterable[str]) -> dict[str, int]:
    """The same, of merchants that have a cap."""
    found = {}
    for name in merchants:
        request = limits.GetExposureRequest(merchant=f"merchants/{name}", currency_code="CNY")
        exposure = (await world.operator.ask(world.stubs.limits.GetExposure, request)).exposure
        found[name] = exposure.owed_micros - exposure.due_micros
    return found
