"""A reader in a process of its own: balances and statements of members drawn at random, so many calls a second."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from grpc import aio

from bench.aside import Aside, aside, begun, stopped
from bench.world import Party
from exchange.v1 import member_service_pb2 as members

PER_SECOND = 100
_MEMBERS = "/exchange.v1.MemberService/"
_LINES = 10
_DEADLINE_SECONDS = 30.0
_MS = 1_000


def reading(port: int, parties: Sequence[Party]) -> AbstractAsyncContextManager[Aside[list[float]]]:
    """PER_SECOND reads a second until told to stop; the milliseconds each took from the instant it was due.

    A read that is not answered OK ends all of them.
    """
    return aside(_read, port, list(parties))


async def _read(port: int, parties: list[Party]) -> list[float]:
    waits: list[float] = []
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.TaskGroup() as together:
        await _one(channel, parties, time.monotonic(), [])
        begun()
        due = time.monotonic()
        while not stopped():
            due += 1 / PER_SECOND
            await asyncio.sleep(max(due - time.monotonic(), 0.0))
            # Whatever became of those before it.
            together.create_task(_one(channel, parties, due, waits))
    return waits


async def _one(channel: aio.Channel, parties: list[Party], due: float, waits: list[float]) -> None:
    party = random.choice(parties)
    name, body = random.choice(_questions(random.choice(party.members), party.currency))
    ask: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_MEMBERS + name)
    await ask(body, metadata=(("authorization", f"Bearer {party.secret}"),), timeout=_DEADLINE_SECONDS)
    waits.append((time.monotonic() - due) * _MS)


def _questions(member: str, currency: str) -> list[tuple[str, bytes]]:
    statement = members.ListStatementEntriesRequest(member=member, currency=currency, page_size=_LINES)
    return [
        ("ListBalances", members.ListBalancesRequest(member=member).SerializeToString()),
        ("ListStatementEntries", statement.SerializeToString()),
    ]
