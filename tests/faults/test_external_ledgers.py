"""An issuer's own ledger and ours, each killed at every step of a conversion: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from grpc import aio

from exchange.db.engine import Database
from exchange.ledger.halting import halt
from exchange.v1 import external_ledger_service_pb2 as pb
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types
from tests.contract.outside import ANSWERED, CALLED_OFF, COMPLETED, INSTRUCTED, UNKNOWN, keep
from tests.faults.issuers import an_issuer, done_in, open_books, points_in
from tests.faults.partners import UNKNOWN as UNKNOWN_CODES
from tests.faults.server_process import ServerProcess, a_server_process
from tests.integration.ledger.ledgers import differences, going_on, owner_of
from tests.movements import Member, a_conversion
from tests.servers import a_new_coalition
from tests.worlds import EARNING, EXCHANGE, Merchant, World, a_channel, a_world

POINTS = 10_000
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
# So that what is unknown is asked about before the test's patience ends.
QUICK = {"external_seconds": "0.1"}


@dataclass(slots=True)
class Coalition:
    """AIR keeps its own balances, BNK's are here; one AIR is worth two BNK either way.

    Attributes:
        world: where, on whatever server lives now.
        air: keeps AIR.
        bnk: issues BNK, and asks.
        ada: has so many points of each.
        books: AIR's file.
        asked: every conversion asked for.
        url: of the exchange's database.
    """

    world: World
    air: Merchant
    bnk: Merchant
    ada: Member
    books: Path
    asked: list[transfers.ConvertPointsRequest]
    url: str

    async def begin(self, units: int, *, out: bool) -> types.ExternalConversion:
        """Convert AIR to BNK (`out` of AIR's books), or the other way; the conversion as it was answered."""
        source, target = ("AIR", "BNK") if out else ("BNK", "AIR")
        request = a_conversion(self.ada, f"{units} {source}", target)
        self.asked.append(request)
        answer: transfers.ConvertPointsResponse = await self.bnk.post(request)
        return answer.external_conversion

    async def conversions(self) -> Sequence[types.ExternalConversion]:
        """All of them, as they stand."""
        request = pb.ListExternalConversionsRequest(page_size=1_000)
        stub = self.world.stubs.external.ListExternalConversions
        return (await self.world.operator.ask(stub, request)).conversions

    async def until(self, *states: types.ExternalConversion.State.ValueType) -> None:
        """Wait until every conversion stands so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not {one.state for one in await self.conversions()} <= set(states):
                await asyncio.sleep(PAUSE_SECONDS)

    def at(self, channel: aio.Channel) -> None:
        """Go on over another connection."""
        self.air, self.bnk = self.air.at(channel), self.bnk.at(channel)
        operator = self.world.operator.at(channel)
        self.world = World(operator.stubs, operator.secret)


@asynccontextmanager
async def a_coalition(server: ServerProcess, secret: str, url: str, books: Path) -> AsyncIterator[Coalition]:
    """On a fresh server."""
    async with a_world(server.address, secret) as world:
        air, bnk = await world.merchant("AIR", EXCHANGE), await world.merchant("BNK", EXCHANGE, EARNING)
        await world.currency("AIR", air, conversion_in=2_000, conversion_out=2_200)
        await world.currency("BNK", bnk, issue=0, conversion_in=1_000, conversion_out=1_100)
        await world.rate("AIR", "BNK", "1:2")
        await world.rate("BNK", "AIR", "2:1")
        await keep(world, "AIR", seconds=1)
        ada = await world.member("ada", [bnk, air])
        await bnk.earn(ada, f"{POINTS} BNK")
        open_books(books, {ada.reference: POINTS})
        yield Coalition(world, air, bnk, ada, books, [], url)


async def assert_both_ledgers_agree(coalition: Coalition) -> None:
    """Every conversion has ended, moved both sides once or neither, and no point was made or lost on the way."""
    conversions = await coalition.conversions()
    assert {one.state for one in conversions} <= {COMPLETED, CALLED_OFF}
    applied = done_in(coalition.books)
    completed = {one.instruction: one for one in conversions if one.state == COMPLETED}
    assert completed.keys() == applied.keys()
    out = {name: one for name, one in completed.items() if one.used.currency == "currencies/AIR"}
    into = {name: one for name, one in completed.items() if name not in out}
    assert applied == {name: -one.used.units for name, one in out.items()} | {
        name: one.received.units for name, one in into.items()
    }
    kept_there = POINTS - sum(one.used.units for one in out.values()) + sum(one.received.units for one in into.values())
    kept_here = POINTS + sum(one.received.units for one in out.values()) - sum(one.used.units for one in into.values())
    assert points_in(coalition.books) == {coalition.ada.reference: kept_there}
    assert await coalition.bnk.balances(coalition.ada) == {"BNK": kept_here}
    assert 2 * kept_there + kept_here == 3 * POINTS
    async with owner_of(coalition.url) as connection:
        ends = await connection.fetch(
            "SELECT original_id FROM exchange.transfers WHERE original_id IS NOT NULL AND merchant_no = $1",
            await connection.fetchval("SELECT merchant_no FROM exchange.merchants WHERE merchant_id = 'BNK'"),
        )
    assert sorted(f"externalConversions/{row[0]}" for row in ends) == sorted(one.name for one in conversions)
    assert await differences(coalition.url) == {}


@pytest.mark.parametrize("step", ["", "seen", "applied", "sent", "acknowledged"])
@pytest.mark.parametrize("out", [True, False], ids=["debit", "credit"])
async def test_an_issuers_system_killed_at_a_step_does_everything_once(
    durable_database_url: str,
    tmp_path: Path,
    step: str,
    out: bool,  # noqa: FBT001
) -> None:
    """Before it has seen the instruction (""), after, after it applied it, told it, was heard; then it lives again.

    While it is dead the exchange guesses nothing: what it was not told stays unknown.
    """
    books, secret = tmp_path / "books.sqlite", await a_new_coalition(durable_database_url)
    async with (
        a_server_process(durable_database_url, 0, **QUICK) as server,
        a_coalition(server, secret, durable_database_url, books) as coalition,
    ):
        if step:
            async with an_issuer(coalition.air, server.address, books, stop_at=step) as doomed:
                await doomed.until("watching")
                await coalition.begin(100, out=out)
                await doomed.until(step)
                await doomed.kill()
        else:
            await coalition.begin(100, out=out)
        if step in {"", "seen", "applied"}:
            await coalition.until(UNKNOWN)
        async with an_issuer(coalition.air, server.address, books):
            await coalition.until(COMPLETED, CALLED_OFF)
            await coalition.begin(10, out=not out)
            await coalition.until(COMPLETED, CALLED_OFF)

        await assert_both_ledgers_agree(coalition)
        assert {one.state for one in await coalition.conversions()} == {COMPLETED}


async def test_a_server_killed_while_all_convert_loses_and_doubles_nothing(
    durable_database_url: str, tmp_path: Path
) -> None:
    """Kill -9 twice in the middle of many conversions; every request is asked again of the next server."""
    books, secret = tmp_path / "books.sqlite", await a_new_coalition(durable_database_url)
    async with (
        a_server_process(durable_database_url, 0, **QUICK) as first,
        a_coalition(first, secret, durable_database_url, books) as coalition,
        an_issuer(coalition.air, first.address, books) as issuer,
    ):
        await issuer.until("watching")
        await _convert_until_killed(coalition, first)
    async with (
        a_server_process(durable_database_url, first.port, **QUICK) as second,
        a_channel(second.address) as channel,
        an_issuer(coalition.air, second.address, books) as issuer,
    ):
        coalition.at(channel)
        await issuer.until("watching")
        await _convert_until_killed(coalition, second)
    async with (
        a_server_process(durable_database_url, first.port, **QUICK) as server,
        a_channel(server.address) as channel,
        an_issuer(coalition.air, server.address, books),
    ):
        coalition.at(channel)
        for request in coalition.asked:
            await coalition.bnk.post(request)
        await coalition.until(COMPLETED, CALLED_OFF)

        assert len(await coalition.conversions()) == len(coalition.asked)
        await assert_both_ledgers_agree(coalition)


async def _convert_until_killed(coalition: Coalition, server: ServerProcess) -> None:
    """Several callers convert back and forth, each at its leisure, until the server is killed under them."""
    lost: list[aio.AioRpcError] = []

    async def convert_on(number: int) -> None:
        while True:
            try:
                await coalition.begin(2 * number + 2, out=number % 2 == 0)
                await asyncio.sleep(PAUSE_SECONDS)
            except aio.AioRpcError as error:
                lost.append(error)
                return

    async with going_on(*(convert_on(number) for number in range(4))) as callers:
        enough = len(coalition.asked) + 30
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(coalition.asked) < enough:
                await asyncio.sleep(PAUSE_SECONDS)
            while not any(one.state == COMPLETED for one in await coalition.conversions()):
                await asyncio.sleep(PAUSE_SECONDS)
        await server.kill()
        await asyncio.gather(*callers)
    assert {error.code() for error in lost} <= UNKNOWN_CODES


async def test_a_server_killed_between_an_answer_and_its_posting_posts_it_once(
    durable_database_url: str, tmp_path: Path
) -> None:
    """The answer was kept; the next server ends the conversion by it, and the issuer's repeat changes nothing."""
    books, secret = tmp_path / "books.sqlite", await a_new_coalition(durable_database_url)
    database = Database(durable_database_url)
    async with (
        a_server_process(durable_database_url, 0, **QUICK) as server,
        a_coalition(server, secret, durable_database_url, books) as coalition,
        an_issuer(coalition.air, server.address, books, stop_at="acknowledged") as issuer,
    ):
        for out in (True, False):
            await coalition.begin(100, out=out)
        assert {one.state for one in await coalition.conversions()} <= {INSTRUCTED, UNKNOWN, ANSWERED, COMPLETED}
        await halt(database, halted=True)
        await issuer.until("acknowledged")
        await issuer.kill()
        answered = [one for one in await coalition.conversions() if one.outcome]
        await server.kill()
    await halt(database, halted=False)
    await database.dispose()

    assert answered
    async with (
        a_server_process(durable_database_url, server.port, **QUICK) as server,
        a_channel(server.address) as channel,
        an_issuer(coalition.air, server.address, books),
    ):
        coalition.at(channel)
        await coalition.until(COMPLETED, CALLED_OFF)
        await assert_both_ledgers_agree(coalition)
