"""Posters in a process of their own, who note when each of their calls began and ended until they are told to stop."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from grpc import aio

from bench import requests
from bench.aside import Aside, aside, begun, stopped
from bench.calls import BATCH
from bench.world import Party

AT_ONCE = 16
IN_BATCH = 10
_DEADLINE_SECONDS = 30.0


class Call(NamedTuple):
    """One BatchTransfer: instants of time.monotonic, which all processes of a machine share, and what it moved."""

    began: float
    ended: float
    done: int
    refused: int


def posting(
    port: int, parties: Sequence[Party], *, at_once: int = AT_ONCE, in_batch: int = IN_BATCH
) -> AbstractAsyncContextManager[Aside[list[Call]]]:
    """So many callers, one call of so many conversions after the other each; their calls, in the order of ending.

    They have been answered once when the block begins. A call that is not answered OK ends all of them.
    """
    return aside(_post, port, list(parties), at_once, in_batch)


def done_within(calls: Sequence[Call], begins: float, ends: float) -> float:
    """Transfers done between two instants; of a call that reaches beyond them its share."""
    return sum(
        call.done * inside / (call.ended - call.began)
        for call in calls
        if (inside := min(call.ended, ends) - max(call.began, begins)) > 0
    )


async def _post(port: int, parties: list[Party], at_once: int, in_batch: int) -> list[Call]:
    calls: list[Call] = []
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.TaskGroup() as together:
        for place in range(at_once):
            together.create_task(_one(channel, parties[place % len(parties)], in_batch, calls))
    return sorted(calls, key=lambda call: call.ended)


async def _one(channel: aio.Channel, party: Party, in_batch: int, calls: list[Call]) -> None:
    post: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(BATCH)
    build, metadata = requests.batches(in_batch), (("authorization", f"Bearer {party.secret}"),)
    while not stopped():
        (body,) = build(party, in_batch)
        began = time.monotonic()
        answer = await post(body, metadata=metadata, timeout=_DEADLINE_SECONDS)
        ended = time.monotonic()
        counted = requests.items_of(answer)
        calls.append(Call(began, ended, counted["items"], counted["items refused"]))
        begun()
