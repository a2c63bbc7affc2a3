"""A partner's program that goes on while the server is killed and comes back: it gets answers, and each award once."""

from __future__ import annotations

import asyncio

from exchange.client import AsyncClient, Client
from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1.event_service_pb2 import Event
from tests.faults.server_process import a_server_process
from tests.movements import points
from tests.servers import a_new_coalition
from tests.worlds import EARNING, a_world

CALLERS = 16
BEFORE, IN_ALL = 100, 400
"""Answers before the kill, and when all is over."""


async def test_a_killed_server_costs_a_program_nothing_but_time(durable_database_url: str) -> None:
    """Kill -9 in mid-call, a new process on the same port; no caller notices, in asyncio or in threads.

    Nor does a watch: it tells every award, once.
    """
    secret = await a_new_coalition(durable_database_url)
    answers: list[pb.EarnPointsResponse] = []
    told: list[str] = []
    left = iter(range(IN_ALL))

    async with a_server_process(durable_database_url) as doomed:
        async with a_world(doomed.address, secret) as world:
            tel = await world.merchant("TEL", EARNING)
            await world.currency("TEL", tel, issue=12_000)
            ada = await world.member("ada", [tel])

        def award() -> pb.EarnPointsRequest:
            return pb.EarnPointsRequest(member=ada.name, points=points("1 TEL"))

        async with AsyncClient(doomed.address, tel.secret) as client:
            with Client(doomed.address, tel.secret) as blocking:

                async def keep_awarding(number: int) -> None:
                    for _ in left:
                        if number % 2:
                            answers.append(await client.transfers.EarnPoints(award()))
                        else:
                            answers.append(await asyncio.to_thread(blocking.transfers.EarnPoints, award()))

                async def keep_watching() -> None:
                    async for event in client.watch(kinds=[Event.KIND_TRANSFER]):
                        told.append(event.resource)  # noqa: PERF401 - a list that is looked at while it grows

                watching = asyncio.create_task(keep_watching())
                awarding = asyncio.gather(*map(keep_awarding, range(CALLERS)))
                while min(len(answers), len(told)) < BEFORE:
                    await asyncio.sleep(0.01)
                await doomed.kill()
                async with a_server_process(durable_database_url, doomed.port):
                    await awarding
                    while len(told) < IN_ALL:
                        await asyncio.sleep(0.01)
                    watching.cancel()
                    async with a_world(doomed.address, secret) as world:
                        balances = await tel.at(world.stubs.channel).balances(ada)

    names = {answer.transfer.name for answer in answers}
    assert len(names) == len(told) == IN_ALL
    assert names == set(told)
    assert balances == {"TEL": IN_ALL}
