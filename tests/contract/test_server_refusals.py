"""What a server says when it is not the request's fault: full, late, leaving, cut off, broken or halted."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import grpc
import pytest
import structlog
from grpc import aio

from exchange.serving.telemetry import configure_logging
from exchange.v1 import member_service_pb2 as member_pb
from exchange.v1 import transfer_service_pb2 as transfer_pb
from tests.contract.cables import a_cable
from tests.contract.cast import Cast, a_cast
from tests.contract.methods import METHODS
from tests.contract.refusals import Refused, refusal, refusal_in
from tests.contract.stillness import connected, keys_used, nothing_changes, standing_still
from tests.database import Databases
from tests.movements import an_earn
from tests.servers import Server, a_server
from tests.worlds import Merchant, World, a_channel, a_world

Earned = transfer_pb.EarnPointsResponse


@asynccontextmanager
async def a_second_server(server: Server, **settings: object) -> AsyncIterator[tuple[Server, aio.Channel]]:
    """Another server on the same database, and a connection to it."""
    async with (
        a_server(server.url, operator_secret=server.operator_secret, **settings) as second,
        a_channel(second.address) as channel,
    ):
        yield second, channel


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What a server process would have written to its log since the test began."""
    root, handlers = logging.getLogger(), list(logging.getLogger().handlers)
    configure_logging("info")
    yield lambda: capsys.readouterr().err
    structlog.reset_defaults()
    root.handlers = handlers


async def earn(merchant: Merchant, request: transfer_pb.EarnPointsRequest) -> Earned:
    """Ask for an award."""
    return await merchant.ask(merchant.stubs.transfers.EarnPoints, request)


async def until_decided(merchant: Merchant, request: transfer_pb.EarnPointsRequest) -> Earned:
    """Repeat an undecided request with its key, as a partner does."""
    while True:
        try:
            return await earn(merchant, request)
        except aio.AioRpcError as error:
            if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                raise
            await asyncio.sleep(0.05)


@pytest.mark.provokes("SERVER_BUSY")
async def test_a_full_server_refuses_before_it_begins(cast: Cast, server: Server) -> None:
    """One call at once is the limit; the second is told when to come again, and its key is unused."""
    ada = await cast.member()
    first, second = an_earn(ada, "5 TEL"), an_earn(ada, "7 TEL")

    async with a_second_server(server, admission_max=1) as (small, channel):
        merchant = cast.gro.at(channel)
        async with standing_still(server):
            under_way = asyncio.create_task(earn(merchant, first))
            while not small.graceful.guard.calls_in_flight:
                await asyncio.sleep(0.01)
            refused = await refusal(earn(merchant, second))
        await under_way
        await earn(merchant, second)

    assert refused.metadata == {"limit": "1"}
    assert refused.retry_seconds is not None
    assert await cast.gro.balances(ada) == {"TEL": 12}


@pytest.mark.provokes("DEADLINE_PASSED")
async def test_a_call_that_takes_too_long_is_undecided(cast: Cast, server: Server) -> None:
    """The server ends it; what became of it the same request tells, and it happened at most once."""
    ada = await cast.member()
    request = an_earn(ada, "5 TEL")

    async with a_second_server(server, deadline_seconds_max=0.2) as (_, channel):
        merchant = cast.gro.at(channel)
        async with standing_still(server):
            refused = await refusal(earn(merchant, request))
        again = await until_decided(merchant, request)

    assert refused.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert again.transfer.legs[1].points.units == 5
    assert await cast.gro.balances(ada) == {"TEL": 5}


@pytest.mark.provokes("SERVER_DRAINING")
async def test_a_server_that_leaves_takes_nothing_new_and_finishes_what_it_took(cast: Cast, server: Server) -> None:
    """The call under way is answered; a new one is sent elsewhere, its key unused."""
    ada = await cast.member()
    first, second = an_earn(ada, "5 TEL"), an_earn(ada, "7 TEL")

    async with a_second_server(server) as (leaving, channel):
        merchant = cast.gro.at(channel)
        async with standing_still(server):
            under_way = asyncio.create_task(earn(merchant, first))
            while not leaving.graceful.guard.calls_in_flight:
                await asyncio.sleep(0.01)
            leaving.graceful.refuse_new()
            refused = await refusal(earn(merchant, second))
        done = await under_way

    assert refused.retry_seconds is not None
    assert await keys_used(server, second.request_id) == 0
    assert done.transfer.legs[1].points.units == 5
    assert await cast.gro.balances(ada) == {"TEL": 5}


@pytest.mark.provokes("DATABASE_UNAVAILABLE")
async def test_without_its_database_a_server_knows_nothing(databases: Databases) -> None:
    """Reading and moving alike, also within a batch; with the database back the same requests are answered."""
    name = await databases.clone()
    async with (
        a_cable(databases.url_of(name)) as cable,
        a_server(cable.url) as server,
        a_world(server.address, server.operator_secret) as world,
    ):
        cast = await a_cast(world)
        ada = await cast.member("5 TEL")
        request = an_earn(ada, "7 TEL")
        get = member_pb.GetMemberRequest(member=ada.name)

        await cable.cut()
        refused = [
            await refusal(earn(cast.gro, request)),
            await refusal(cast.gro.ask(world.stubs.members.GetMember, get)),
            *[refusal_in(result.status) for result in await cast.gro.batch(request, atomic=True)],
        ]
        await cable.mend()
        earned = await until_decided(cast.gro, request)

        assert {(no.reason, no.code) for no in refused} == {("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)}
        assert not earned.replayed
        assert await cast.gro.balances(ada) == {"TEL": 12}
    await databases.drop(name)


@pytest.mark.provokes("INTERNAL_FAULT")
async def test_a_fault_of_ours_tells_an_incident_and_nothing_else(
    own_world: World, own_server: Server, log: Callable[[], str]
) -> None:
    """A database that lacks what the server needs is none of the caller's business; our log has it all."""
    cast = await a_cast(own_world)
    ada = await cast.member("5 TEL")
    get = member_pb.GetMemberRequest(member=ada.name)
    request = an_earn(await cast.member(), "5 TEL")

    async with connected(own_server.url) as connection:
        await connection.execute("ALTER TABLE exchange.member_links RENAME TO lost_links")
        await connection.execute("ALTER TABLE exchange.request_keys RENAME TO lost_keys")
        refused = [
            await refusal(cast.gro.ask(own_world.stubs.members.GetMember, get)),
            await refusal(earn(cast.gro, request)),
            *[refusal_in(result.status) for result in await cast.gro.batch(request)],
        ]
        await connection.execute("ALTER TABLE exchange.lost_links RENAME TO member_links")
        await connection.execute("ALTER TABLE exchange.lost_keys RENAME TO request_keys")
    earned = await earn(cast.gro, request)

    assert {(no.reason, no.code) for no in refused} == {("INTERNAL_FAULT", grpc.StatusCode.INTERNAL)}
    assert len({no.metadata["incident"] for no in refused}) == 3
    assert not any(word in repr(no).lower() for no in refused for word in ("member_links", "relation", "sql", "error"))
    logged = log()
    assert all(no.metadata["incident"] in logged for no in refused)
    assert "member_links" in logged
    assert not earned.replayed


@pytest.mark.provokes("LEDGER_HALTED")
async def test_a_halted_ledger_takes_no_movement_and_is_read(own_world: World, own_server: Server) -> None:
    """Every movement is undecided until the halt is lifted; then the same requests are answered."""
    cast = await a_cast(own_world)
    ada = await cast.member("5 TEL")
    request = an_earn(ada, "7 TEL")

    async with connected(own_server.url) as connection:
        await connection.execute("UPDATE exchange.coalition SET halted_at = '2026-03-01T00:00:00Z'")
        async with nothing_changes(own_server):
            refused = await refusal(earn(cast.gro, request))
            in_batch = [refusal_in(result.status) for result in await cast.gro.batch(request, request)]
        balance = await cast.gro.balances(ada)
        await connection.execute("UPDATE exchange.coalition SET halted_at = NULL")
    earned = await earn(cast.gro, request)

    assert refused.metadata["since"].startswith("2026-03-01T00:00:00")
    assert [no.reason for no in in_batch] == ["LEDGER_HALTED", "LEDGER_HALTED"]
    assert balance == {"TEL": 5}
    assert not earned.replayed


async def test_a_message_far_too_large_is_refused(cast: Cast, server: Server) -> None:
    """More than 4 MiB: no batch of a thousand is as large."""
    big = transfer_pb.BatchTransferRequest()
    big.items.add().earn.reference = "x" * (4 * 1024 * 1024)

    async with nothing_changes(server):
        refused: Refused = await refusal(METHODS["BatchTransfer"].call(cast.world.stubs.channel, cast.gro, big))

    assert (refused.reason, refused.fields) == ("INVALID_FIELD", ("message",))


async def test_a_refusal_stays_small_however_much_is_wrong(cast: Cast) -> None:
    """Statuses above 4 KiB never reach a client: fifty fields at most are named."""
    request = transfer_pb.BatchTransferRequest(mode=transfer_pb.BatchTransferRequest.MODE_ATOMIC)
    for _ in range(200):
        request.items.add().earn.reference = "x" * 5_000

    refused = await refusal(cast.gro.ask(cast.gro.stubs.transfers.BatchTransfer, request))

    assert refused.reason == "INVALID_FIELD"
    assert 1 <= len(refused.fields) <= 50
