"""A partner's program that goes on while the server is killed and comes back: it sees answers, and each award once."""

from __future__ import annotations

import asyncio

from exchange.client import AsyncClient, Client
from exchange.v1 import transfer_service_pb2 as pb
from tests.faults.server_process import a_server_process
from tests.movements import points
from tests.servers import a_new_coalition
from tests.worlds import EARNING, a_world

CALLERS = 16
BEFORE, IN_ALL = 100, 400
"""Answers before the kill, and when all is over."""


async def test_a_killed_server_costs_a_program_nothing_but_time(durable_database_url: str) -> None:
    """Kill -9 in mid-call, a new process on the same port; no caller notices, in asyncio or in threads."""
    secret = await a_new_coalition(durable_database_url)
    answers: list[pb.EarnPointsResponse] = []
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

                awarding = asyncio.gather(*map(keep_awarding, range(CALLERS)))
                while len(answers) < BEFORE:
                    await asyncio.sleep(0.01)
                await doomed.kill()
                async with a_server_process(durable_database_url, doomed.port):
                    await awarding
                    async with a_world(doomed.address, secret) as world:
                        balances = await tel.at(world.stubs.channel).balances(ada)

    assert len({answer.transfer.name for answer in answers}) == IN_ALL
    assert balances == {"TEL": IN_ALL}
