"""The page of events: its program follows a real server, and its table knows every kind."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import Any

from exchange.ledger.event_kinds import EventKind
from exchange.v1 import event_service_pb2 as pb
from tests.docs.pages import ROOT, blocks
from tests.integration.ledger.ledgers import going_on
from tests.servers import a_server
from tests.worlds import EARNING, a_channel, a_world

PAGE = ROOT / "docs" / "events.md"


async def test_the_pages_program_follows_across_a_restart(database_url: str) -> None:
    """From the first event on; the server shuts down, another takes its port, and the program goes on by itself."""
    program: dict[str, Any] = {}
    exec(blocks(PAGE, "python")[0], program)
    dealt_with: list[pb.Event] = []

    async def deal_with(event: pb.Event) -> None:
        dealt_with.append(event)

    async def until(count: int) -> None:
        async with asyncio.timeout(60):
            while len(dealt_with) < count:
                await asyncio.sleep(0.02)

    async with AsyncExitStack() as stack:
        async with a_server(database_url) as server, a_world(server.address, server.operator_secret) as world:
            gro = await world.merchant("GRO", EARNING)
            await world.currency("GRO", gro, issue=1)
            ada = await world.member("ada", [gro])
            first = (await gro.earn(ada, "5 GRO")).transfer
            channel = await stack.enter_async_context(a_channel(server.address))
            stub = gro.at(channel).stubs.events
            await stack.enter_async_context(going_on(program["follow"](stub, gro.metadata, "", deal_with)))
            await until(2)
        async with (
            a_server(database_url, operator_secret=server.operator_secret, port=server.port) as again,
            a_world(again.address, server.operator_secret) as world,
        ):
            second = (await gro.at(world.stubs.channel).earn(ada, "6 GRO")).transfer
            await until(3)

    assert [event.resource for event in dealt_with] == ["currencies/GRO/prices/1", first.name, second.name]


def test_the_page_tells_of_every_kind() -> None:
    """In its table, and of none that there is not."""
    table = "\n".join(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `"))

    assert set(re.findall(r"`([A-Z_]+)`", table)) == {kind.name for kind in EventKind}
