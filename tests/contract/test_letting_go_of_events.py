"""Old events are let go of: the horizon moves, a cursor from before it is refused, transfers stay."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from grpc import aio

from exchange.db.engine import SERVER_ROLE
from exchange.events.retention import Retention
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import event_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfers
from tests.contract.cast import Cast, a_cast
from tests.contract.refusals import refusal
from tests.contract.stillness import connected
from tests.contract.watching import listed, resources, watching
from tests.database import Databases
from tests.docs.pages import ROOT
from tests.servers import Server, a_server
from tests.worlds import World, a_world

BEGIN = datetime(2030, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


async def days_later(world: World, days: float) -> None:
    """Set the coalition's clock, and a little more: it went on meanwhile."""
    await world.set_clock((BEGIN + days * DAY + (timedelta(minutes=30) if days else 0 * DAY)).isoformat())


@pytest.fixture
async def cast(own_world: World) -> Cast:
    """Merchants, at nine in the morning."""
    await days_later(own_world, 0)
    return await a_cast(own_world)


async def kept(server: Server) -> tuple[int, int]:
    """Noted events that are there before the horizon, and marks."""
    async with connected(server.url) as connection:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM exchange.events, exchange.event_horizon WHERE sequence <= place),"
            " (SELECT count(*) FROM exchange.event_marks)"
        )
    assert row is not None
    return row[0], row[1]


async def test_what_is_old_enough_is_told_no_more(cast: Cast, own_world: World, own_server: Server) -> None:
    """A day-old cursor is refused with where to go on; what came later is told, and the old transfer is still there."""
    retention = Retention(own_server.api.database, 2)
    ada = await cast.member()
    old = (await cast.gro.earn(ada, "5 TEL")).transfer.name
    events, cursor = await listed(cast.gro)
    first = await retention.run()
    await days_later(own_world, 1)
    new = (await cast.gro.earn(ada, "6 TEL")).transfer.name
    second = await retention.run()
    before, _ = await listed(cast.gro, cursor=cursor)

    await days_later(own_world, 2)
    third = await retention.run()

    assert (first, second) == ((0, 0), (0, 0))
    assert resources(before) == [new]
    assert third.horizon > 0
    assert third.deleted > 0
    refused = await refusal(
        cast.gro.ask(cast.gro.stubs.events.ListEvents, pb.ListEventsRequest(cursor=events[0].cursor))
    )
    assert refused.reason == "CURSOR_EXPIRED"
    assert resources((await listed(cast.gro, cursor=refused.metadata["oldest"]))[0]) == [new]
    assert resources((await listed(cast.gro))[0]) == [new]
    assert resources((await listed(cast.gro, cursor=cursor))[0]) == [new]
    found = await cast.gro.ask(cast.gro.stubs.transfers.GetTransfer, transfers.GetTransferRequest(name=old))
    assert found.transfer.name == old
    assert await kept(own_server) == (0, 2)


async def test_who_watches_from_the_front_notices_nothing(cast: Cast, own_world: World, own_server: Server) -> None:
    """The watch goes on over the day on which everything before it goes."""
    ada = await cast.member("5 TEL")
    retention = Retention(own_server.api.database, 1)
    async with watching(cast.gro, from_now=True) as watch:
        await watch.answer()
        await retention.run()
        await days_later(own_world, 3)
        gone = await retention.run()
        name = (await cast.gro.earn(ada, "5 TEL")).transfer.name
        told = await watch.until(name)

    assert gone.deleted > 0
    assert resources(told) == [name]


async def test_many_at_once_let_go_of_each_event_once(cast: Cast, own_world: World, own_server: Server) -> None:
    """Together they deleted what there was; again there is nothing to do, and the horizon stays."""
    for number in range(30):
        await own_world.currency(f"E{number}", cast.tel, issue=1)
    runs = [Retention(own_server.api.database, 1) for _ in range(6)]
    await runs[0].run()
    async with connected(own_server.url) as connection:
        there = await connection.fetchval("SELECT count(*) FROM exchange.events")
    await days_later(own_world, 1)

    told = await asyncio.gather(*(one.run() for one in runs))
    again = await runs[0].run()

    assert sum(one.deleted for one in told) == there
    assert {one.horizon for one in told} == {again.horizon}
    assert again.deleted == 0
    assert (await kept(own_server))[0] == 0


async def test_one_that_dies_after_the_horizon_moved_leaves_the_rest_to_the_next(
    cast: Cast, own_world: World, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads over a gap meanwhile: what is not deleted yet is told no more either."""
    retention = Retention(own_server.api.database, 1)
    await retention.run()
    await days_later(own_world, 1)

    async def dies(self: Retention) -> int:
        raise ConnectionError(self)

    with monkeypatch.context() as patched:
        patched.setattr(Retention, "_drop", dies)
        with pytest.raises(ConnectionError):
            await retention.run()
    left = (await kept(own_server))[0]
    told, _ = await listed(cast.gro)

    assert left > 0
    assert told == []
    assert (await retention.run()).deleted == left


async def test_the_serving_role_lets_go_of_nothing_young(cast: Cast, own_server: Server) -> None:
    """It deletes no event, moves no horizon, back-dates no mark; the functions refuse less than a day."""
    del cast
    statements = (
        "DELETE FROM exchange.events",
        "UPDATE exchange.event_horizon SET place = 9000000",
        "INSERT INTO exchange.event_marks VALUES (9000000, '2001-01-01')",
        "SELECT exchange.move_event_horizon(interval '23 hours')",
    )
    async with connected(own_server.url) as connection:
        await connection.execute(f"SET ROLE {SERVER_ROLE}")
        for statement in statements:
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
                await connection.execute(statement)
        assert await connection.fetchval("SELECT exchange.drop_events(1000)") == 0


async def test_a_server_that_is_told_so_lets_go_by_itself(databases: Databases) -> None:
    """Every so many seconds it looks; without the setting it never does."""
    name = await databases.clone()
    url = databases.url_of(name)
    async with (
        a_server(url, event_keep_days=1, due_seconds=0.1) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        await days_later(world, 0)
        await a_cast(world)
        await days_later(world, 0.5)
        async with connected(url) as connection:
            while not await connection.fetchval(
                "SELECT max(marked_at) > $1 FROM exchange.event_marks", BEGIN + DAY / 2
            ):
                await asyncio.sleep(0.05)
        await days_later(world, 2)
        request = directory.SuspendCurrencyRequest(name="currencies/TEL")
        await world.operator.ask(world.stubs.directory.SuspendCurrency, request)
        found: list[pb.Event] | None = None
        while found is None or len(found) > 1:
            await asyncio.sleep(0.05)
            # Between two pages the server may let go of what the second begins with, and says so.
            with contextlib.suppress(aio.AioRpcError):
                found = (await listed(world.operator))[0]
    await databases.drop(name)

    assert resources(found) == ["currencies/TEL"]


async def test_the_command_lets_go_once_and_asks_for_how_long(own_server: Server) -> None:
    """`compact-events`: figures as JSON; without a number of days it says what is missing."""

    async def typed(*arguments: str) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exchange", "compact-events", *arguments),
            cwd=ROOT,
            env={"EXCHANGE_DATABASE_URL": own_server.url, "PATH": ""},
            stdout=PIPE,
            stderr=PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()

    done, unsaid = await asyncio.gather(typed("--keep-days", "30", "--json"), typed())

    assert done[:2] == (0, '{"deleted": 0, "horizon": 0}\n')
    assert unsaid[0] == 2
    assert "EXCHANGE_EVENT_KEEP_DAYS" in unsaid[2]
