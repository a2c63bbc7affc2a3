"""The yardsticks do what they are said to do: a baseline that moved nothing would flatter nobody for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench import requests, world
from bench.baselines import direct_sql, orm_service, pgbench, raw_sql
from bench.baselines.orm_model import Account, Base, Debt, Entry, IdempotencyKey, Movement
from bench.calls import BATCH, CAPTURE, CONVERT, EARN, HOLD, REDEEM, STREAM
from bench.load.drive import drive
from bench.load.plan import Outcome, Plan
from bench.noop import service as noop
from exchange.v1 import transfer_service_pb2 as pb
from tests.servers import Server, a_server

WIDE = Path(pgbench.__file__).with_name("wide.sql")
NO_PROCESS = 2**30
"""Above every process number: the tests do not care who used the processor."""


@pytest.fixture
async def wide_url(database_url: str) -> str:
    """A database with the hand-written tables."""
    connection = await asyncpg.connect(dsn(database_url))
    try:
        for statement in WIDE.read_text().split(";\n"):
            if statement.strip():
                await connection.execute(statement)
    finally:
        await connection.close()
    return database_url


async def test_direct_sql_makes_a_whole_conversion_for_each_call(
    wide_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the exchange's server, for whoever has a key: as many rows as answers."""
    monkeypatch.setenv(direct_sql.ADDRESS, wide_url)
    async with a_server(wide_url, service_extensions=("bench.baselines.direct_sql:extension",)) as server:
        parties = await world.build(server.port, server.operator_secret, members_each=5)
        outcome = await driven(server, parties, direct_sql.METHOD, requests.directly)

    found = await counted(wide_url)
    assert not outcome.failed
    assert found["transfers"] == found["keys"] >= outcome.ok > 0
    assert found["taken"] == found["used"] == 30 * found["given"]


@pytest.fixture
async def orm(database_url: str) -> AsyncIterator[tuple[orm_service.OrmService, orm_service.Sessions]]:
    """The ORM service without its wire, and a way to look into its tables."""
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    await orm_service.fill(sessions)
    yield orm_service.OrmService(sessions), sessions
    await engine.dispose()


def dsn(url: str) -> str:
    """The address as asyncpg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def counted(url: str) -> dict[str, int]:
    """What stands in the hand-written tables."""
    connection = await asyncpg.connect(dsn(url))
    try:
        row = await connection.fetchrow(
            """SELECT (SELECT count(*) FROM wide.transfers) AS transfers,
                      (SELECT count(*) FROM wide.request_keys) AS keys,
                      (SELECT count(*) - 5000 FROM wide.lots) AS new_lots,
                      (SELECT sum(used_units) FROM wide.transfers) AS used,
                      (SELECT 5000 * 10::numeric ^ 12 - sum(available_units) FROM wide.accounts WHERE currency_no = 1)
                          AS taken,
                      (SELECT sum(available_units) - 5000 * 10::numeric ^ 12 FROM wide.accounts WHERE currency_no = 2)
                          AS given"""
        )
        assert row is not None
        return {name: int(value or 0) for name, value in row.items()}
    finally:
        await connection.close()


async def test_pgbench_makes_whole_conversions(wide_url: str) -> None:
    """Each has its row, its key and both balances."""
    result = await asyncio.to_thread(pgbench.run, wide_url, clients=4, seconds=1, postgres_pid=NO_PROCESS)

    found = await counted(wide_url)
    assert result.failed == 0
    assert found["transfers"] == found["keys"] == result.done
    assert found["taken"] == found["used"] == 30 * found["given"]


async def test_raw_sql_makes_whole_conversions(wide_url: str) -> None:
    """A thousand at once; the batches that warm the connections up are made too, and not counted."""
    result = await asyncio.to_thread(raw_sql.run, wide_url, connections=2, seconds=0.2, postgres_pid=NO_PROCESS)

    found = await counted(wide_url)
    assert found["transfers"] == found["keys"] == found["new_lots"] == result.done + 2 * raw_sql.BATCH
    assert found["taken"] == found["used"] == 30 * found["given"]


async def test_the_orm_service_moves_points_once_for_a_request_sent_often(
    orm: tuple[orm_service.OrmService, orm_service.Sessions],
) -> None:
    """Ten at once, one transfer; every answer is the same but for the mark of a replay."""
    service, sessions = orm
    request = pb.ConvertPointsRequest.FromString(requests.orm_lanes(1, 1)[0].bodies[0])

    answers = await asyncio.gather(*(service.convert(request, cast("Any", None)) for _ in range(10)))

    assert sum(not answer.replayed for answer in answers) == 1
    assert len({answer.transfer.SerializeToString(deterministic=True) for answer in answers}) == 1
    async with sessions() as session:
        for kind, rows in ((Movement, 1), (IdempotencyKey, 1), (Entry, 4), (Debt, 3)):
            assert await session.scalar(select(func.count()).select_from(kind)) == rows
        moved = answers[0].transfer
        given = orm_service.MEMBERS * 10**12
        left = {
            code: await session.scalar(select(func.sum(Account.balance)).where(Account.currency == code))
            for code in orm_service.MERCHANTS
        }
    assert left[moved.used.currency.removeprefix("currencies/")] == given - moved.used.units
    assert left[moved.received.currency.removeprefix("currencies/")] == given + moved.received.units


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[Server]:
    """The exchange with the no-op beside its own services."""
    async with a_server(database_url, service_extensions=("bench.noop.service:extension",)) as server:
        yield server


async def driven(server: Server, parties: list[world.Party], path: str, build: requests.Build, **plan: Any) -> Outcome:
    """The outcome of some dozens of calls."""
    lanes = requests.lanes(parties, build, 100)
    wanted = Plan(port=server.port, path=path, lanes=lanes, in_flight=10, seconds=30.0, warmup_seconds=0.0, **plan)
    return await asyncio.to_thread(drive, wanted)


async def test_every_scenario_against_the_exchange_is_answered_ok(server: Server) -> None:
    """The coalition it plays in has the roles, links, rates and points for all of them."""
    parties = await world.build(server.port, server.operator_secret, members_each=20)

    for path, build in (
        (noop.METHOD, requests.converts),
        (CONVERT, requests.converts),
        (EARN, requests.earns),
        (REDEEM, requests.redeems),
        (HOLD, requests.holds),
    ):
        outcome = await driven(server, parties, path, build)
        assert not outcome.failed, path
        assert outcome.ok > 0, path
    batched = await driven(server, parties, BATCH, requests.batches(10), inspect=requests.items_of)
    assert not batched.failed
    assert batched.counts["items"] == 10 * batched.ok
    assert batched.counts["items refused"] == 0


async def test_every_hold_that_is_prepared_can_be_captured(server: Server) -> None:
    """They are made by the merchant that captures them, each once."""
    parties = await world.build(server.port, server.operator_secret, members_each=5)
    lanes = await asyncio.to_thread(requests.held_by_all, server.port, parties[:1], 20)
    few = tuple(replace(lane, bodies=lane.bodies[:50]) for lane in lanes)

    plan = Plan(port=server.port, path=CAPTURE, lanes=few, in_flight=10, seconds=30.0, warmup_seconds=0.0)
    outcome = await asyncio.to_thread(drive, plan)

    assert not outcome.failed
    assert 0 < outcome.ok <= 100


async def test_a_stream_answers_every_conversion_in_it(server: Server) -> None:
    """What the generator sends as one long body are messages of a stream to the server, and so are its answers."""
    parties = await world.build(server.port, server.operator_secret, members_each=5)
    lanes = tuple(replace(lane, streams=True) for lane in requests.lanes(parties, requests.streams(20), 200))

    plan = Plan(
        port=server.port, path=STREAM, lanes=lanes, in_flight=5, seconds=30.0, warmup_seconds=0.0,
        inspect=requests.streamed_of,
    )  # fmt: skip
    outcome = await asyncio.to_thread(drive, plan)

    assert not outcome.failed
    assert outcome.ok > 0
    assert outcome.counts == {"items": 20 * outcome.ok, "items refused": 0}


async def test_what_is_said_twice_is_a_replay(server: Server) -> None:
    """The run with duplicates has as many replays as it was built with."""
    parties = await world.build(server.port, server.operator_secret, members_each=5)

    outcome = await driven(server, parties, CONVERT, requests.with_duplicates(0.5), inspect=requests.replayed_of)

    assert not outcome.failed
    assert 0 < outcome.counts["replayed"] < outcome.ok


async def test_the_no_op_answers_as_many_octets_as_a_conversion(server: Server) -> None:
    """Otherwise the ratio between them would say something else than what posting adds."""
    parties = await world.build(server.port, server.operator_secret, members_each=5)

    sizes = [
        outcome.counts["octets"] / outcome.ok
        for path in (noop.METHOD, CONVERT)
        for outcome in [await driven(server, parties, path, requests.converts, inspect=_octets)]
    ]

    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)


def _octets(answer: bytes) -> dict[str, int]:
    return {"octets": len(answer)}
