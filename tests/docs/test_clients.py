"""The clients' page is executed, and its policy works in gRPC itself."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import pytest
from grpc import aio

from docs.client_reference import clients_page, deadlines_table, retry_policy, services
from tests.contract.stillness import standing_still
from tests.database import Databases
from tests.docs.pages import ROOT, blocks
from tests.movements import an_earn
from tests.servers import Server, a_server, a_server_of_its_own
from tests.worlds import EARNING, REDEMPTION, Merchant, World, a_world

PAGE = ROOT / "docs" / "clients.md"
POLICY = ROOT / "docs" / "retry-policy.json"


@pytest.fixture(scope="module")
async def server(databases: Databases) -> AsyncIterator[Server]:
    """A server on a database of its own."""
    async with a_server_of_its_own(databases) as server:
        yield server


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    """Its coalition."""
    async with a_world(server.address, server.operator_secret) as world:
        yield world


@pytest.fixture(scope="module")
async def caf(world: World) -> Merchant:
    """The merchant whose program the page shows."""
    tel = await world.merchant("TEL")
    await world.currency("TEL", tel, issue=12_000, redeem=10_000)
    return await world.merchant("CAF", EARNING, REDEMPTION)


async def test_the_program_prints_what_the_page_shows(server: Server, world: World, caf: Merchant) -> None:
    """As a partner would run it."""
    member = await world.member("card", [caf])
    program = blocks(PAGE, "python")[0].replace("card-1", member.reference)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        cwd=ROOT,
        env=os.environ | {"EXCHANGE_ADDRESS": server.address, "EXCHANGE_KEY": caf.secret},
        stdout=PIPE,
        stderr=PIPE,
    )

    output, errors = await process.communicate()

    assert (output.decode(), errors.decode()) == (blocks(PAGE, "text")[0], "")


async def test_grpc_itself_repeats_by_the_published_policy(server: Server, world: World, caf: Merchant) -> None:
    """A full server refuses, says when to come again, and a plain channel comes: no code of ours on that side."""
    member = await world.member("card", [caf])
    options = [("grpc.service_config", POLICY.read_text(encoding="utf-8")), ("grpc.use_local_subchannel_pool", 1)]
    async with (
        a_server(server.url, operator_secret=server.operator_secret, admission_max=1) as small,
        aio.insecure_channel(small.address, options=options) as channel,
    ):
        caller = caf.at(channel)
        async with standing_still(server):
            asked = [
                asyncio.create_task(caller.ask(caller.stubs.transfers.EarnPoints, an_earn(member, "5 TEL")))
                for _ in range(2)
            ]
            while not small.graceful.guard.calls_in_flight:
                await asyncio.sleep(0.01)
        await asyncio.gather(*asked)

    assert await caf.balances(member) == {"TEL": 10}


def test_the_published_policy_is_what_the_protos_say() -> None:
    """After a new method: python docs/catalogue.py write."""
    assert POLICY.read_text(encoding="utf-8") == retry_policy()


def test_every_method_has_its_row_of_deadlines() -> None:
    """After a new method: python docs/catalogue.py write."""
    table = deadlines_table()

    assert PAGE.read_text(encoding="utf-8") == clients_page()
    for service in services():
        for method in service.methods:
            assert table.count(f"| {service.full_name}/{method.name} |") == 1
