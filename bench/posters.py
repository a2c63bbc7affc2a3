"""Posters in a process of their own, who note when each of their calls began and ended until they are told to stop."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.synchronize import Event
from typing import NamedTuple

from grpc import aio

from bench import requests
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


class Posters:
    """So many callers, one call after the other each; conversions, IN_BATCH a call."""

    def __init__(self, calls: Future[list[Call]], stop: Event) -> None:
        self._calls, self._stop = calls, stop

    async def ended(self) -> list[Call]:
        """Tell them to stop; every call they made, in the order of ending.

        Raises:
            grpc.RpcError: a call was not answered OK; in a group.
        """
        self._stop.set()
        return await asyncio.wrap_future(self._calls)


@contextlib.asynccontextmanager
async def posting(port: int, parties: Sequence[Party]) -> AsyncIterator[Posters]:
    """Posters for as long as the block; they have been answered once when it begins, or have failed."""
    context = multiprocessing.get_context("spawn")
    begun, stop = context.Event(), context.Event()
    pool = ProcessPoolExecutor(1, context, initializer=_remember, initargs=(begun, stop))
    try:
        calls = pool.submit(_post, port, list(parties))
        # Never on the loop's own thread: a server may stand on it.
        await asyncio.to_thread(begun.wait)
        yield Posters(calls, stop)
    finally:
        stop.set()
        await asyncio.to_thread(pool.shutdown)


_told: dict[str, Event] = {}
"""Of a process of posters: whether they have begun, and shall stop."""


def _remember(begun: Event, stop: Event) -> None:
    _told.update(begun=begun, stop=stop)


def _post(port: int, parties: list[Party]) -> list[Call]:
    try:
        return sorted(asyncio.run(_all(port, parties)), key=lambda call: call.ended)
    finally:
        _told["begun"].set()


async def _all(port: int, parties: list[Party]) -> list[Call]:
    calls: list[Call] = []
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.TaskGroup() as together:
        for place in range(AT_ONCE):
            together.create_task(_one(channel, parties[place % len(parties)], calls))
    return calls


async def _one(channel: aio.Channel, party: Party, calls: list[Call]) -> None:
    post: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(BATCH)
    build, metadata = requests.batches(IN_BATCH), (("authorization", f"Bearer {party.secret}"),)
    while not _told["stop"].is_set():
        (body,) = build(party, IN_BATCH)
        began = time.monotonic()
        answer = await post(body, metadata=metadata, timeout=_DEADLINE_SECONDS)
        ended = time.monotonic()
        counted = requests.items_of(answer)
        calls.append(Call(began, ended, counted["items"], counted["items refused"]))
        _told["begun"].set()
