"""The program itself, as an operator starts it: `python -m exchange migrate`, `keys issue`, `serve`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # ships without type information

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import sandbox_service_pb2 as sandbox_pb
from tests.contract.refusals import refusal
from tests.database import Databases
from tests.worlds import EARNING, World, a_channel, a_world

ROOT = Path(__file__).parents[2]


def program(url: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """Command line and environment; the environment's own settings are left behind."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    return [sys.executable, "-m", "exchange", *words], {**environment, "EXCHANGE_DATABASE_URL": url}


async def said(url: str, *words: str) -> str:
    """What a command that ends well prints."""
    command, environment = program(url, *words)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode()


@dataclass(frozen=True, slots=True)
class Served:
    """A server process. `ready` is the line it printed."""

    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    @property
    def address(self) -> str:
        """As a channel takes it."""
        return f"127.0.0.1:{self.ready['port']}"

    async def stop(self) -> int:
        """Tell it to leave; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def serving(url: str, *words: str, **settings: str) -> AsyncIterator[Served]:
    """`serve` on any free port, without a sandbox unless the words say so; settings as the environment tells them."""
    command, environment = program(url, "serve", "--port", "0", *words)
    told = {f"EXCHANGE_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment | told, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        yield Served(process, json.loads(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture(scope="module")
async def url(durable_databases: Databases) -> AsyncIterator[str]:
    """A database that keeps what it acknowledges, brought up to date and set up by the program."""
    name = await durable_databases.clone()
    url = durable_databases.url_of(name)
    await said(url, "migrate", "--operator", "OPR")
    yield url
    await durable_databases.drop(name)


@pytest.fixture(scope="module")
async def operator_secret(url: str) -> str:
    """How a new coalition's first operator gets in."""
    issued = json.loads(await said(url, "keys", "issue", "--role", "operator", "--json"))
    assert issued["name"].startswith("apiKeys/")
    return str(issued["secret"])


async def test_the_program_serves_until_it_is_told_to_stop(url: str, operator_secret: str) -> None:
    """It says where, is healthy, moves points, and leaves with status 0; no movable clock outside a sandbox."""
    async with serving(url) as served, a_world(served.address, operator_secret) as world:
        gro = await world.merchant("GRO", EARNING)
        await world.currency("GRO", gro, issue=1)
        ada = await world.member("ada", [gro])
        await gro.earn(ada, "5 GRO")
        balance = await gro.balances(ada)
        clock = await refusal(world.operator.ask(world.stubs.sandbox.GetClock, sandbox_pb.GetClockRequest()))
        health = health_pb2_grpc.HealthStub(world.stubs.channel)
        states = [
            (await health.Check(health_pb2.HealthCheckRequest(service=service))).status
            for service in ("", "exchange.v1.TransferService", "settlement.v1.SettlementService")
        ]
        status = await served.stop()

    assert (served.ready["event"], served.ready["host"]) == ("serving", "127.0.0.1")
    assert balance == {"GRO": 5}
    assert clock.code is grpc.StatusCode.UNIMPLEMENTED
    assert states == [health_pb2.HealthCheckResponse.SERVING] * 3
    assert status == 0


async def test_a_suspension_binds_every_server_process_at_once(url: str, operator_secret: str) -> None:
    """Acknowledged by one process, obeyed by another that had just served the merchant."""
    async with (
        serving(url) as one,
        serving(url) as two,
        a_world(one.address, operator_secret) as world,
        a_channel(two.address) as channel,
    ):
        assert one.process.pid != two.process.pid
        caf = await world.merchant("CAF", EARNING)
        await world.currency("CAF", caf, issue=1)
        ada = await world.member("ada", [caf])
        elsewhere = caf.at(channel)
        reasons = []
        for _ in range(3):
            await elsewhere.earn(ada, "5 CAF")
            await world.suspend(caf)
            reasons.append((await refusal(elsewhere.earn(ada, "5 CAF"))).reason)
            await resume(world, caf.name)
        balance = await caf.balances(ada)

    assert reasons == ["MERCHANT_SUSPENDED"] * 3
    assert balance == {"CAF": 15}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to a processor")
async def test_processes_that_are_pinned_have_a_processor_each(url: str, operator_secret: str) -> None:
    """With all their threads, from the last processor on; and they serve."""
    allowed = sorted(os.sched_getaffinity(0), reverse=True)
    async with (
        serving(url, "--processes", "2", pin_processes="true") as served,
        a_world(served.address, operator_secret) as world,
    ):
        pin = await world.merchant("PIN", EARNING)
        await world.currency("PIN", pin, issue=1)
        ada = await world.member("ada", [pin])
        await pin.earn(ada, "5 PIN")
        kept_to = processors_of_children(served.process.pid)
        balance = await pin.balances(ada)

    assert kept_to == [{frozenset({allowed[index % len(allowed)]})} for index in (0, 1)]
    assert balance == {"PIN": 5}


def processors_of_children(pid: int) -> list[set[frozenset[int]]]:
    """Of each child, the oldest first: the processors any of its threads may use."""
    children = sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return [
        {frozenset(os.sched_getaffinity(int(thread.name))) for thread in Path(f"/proc/{child}/task").iterdir()}
        for child in children
    ]


async def resume(world: World, merchant: str) -> None:
    """Let a merchant act again."""
    request = directory_pb.ActivateMerchantRequest(name=merchant)
    await world.operator.ask(world.stubs.directory.ActivateMerchant, request)
