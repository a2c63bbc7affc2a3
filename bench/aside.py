"""Work in a process of its own that goes on until it is told to stop: its processor time is nobody else's."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.synchronize import Event
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
Work = Callable[..., Coroutine[Any, Any, Result]]
"""Says `begun()` when it is under way, and returns soon after `stopped()`."""

_told: dict[str, Event] = {}
"""Of the process that works: whether it has begun, and shall stop."""


class Aside(Generic[Result]):
    """Work that is under way in another process."""

    def __init__(self, working: "Future[Result]", stop: Event) -> None:
        self._working, self._stop = working, stop

    async def ended(self) -> Result:
        """Tell it to stop; what it returned, or the exception it ended with."""
        self._stop.set()
        return await asyncio.wrap_future(self._working)


@contextlib.asynccontextmanager
async def aside(work: Work[Result], *arguments: object) -> AsyncIterator[Aside[Result]]:
    """Have a module's function work until the block ends; it has begun, or failed, when the block begins."""
    context = multiprocessing.get_context("spawn")
    began, stop = context.Event(), context.Event()
    pool = ProcessPoolExecutor(1, context, initializer=_remember, initargs=(began, stop))
    try:
        working = pool.submit(_run, work, arguments)
        # Never on the loop's own thread: a server may stand on it.
        await asyncio.to_thread(began.wait)
        yield Aside(working, stop)
    finally:
        stop.set()
        await asyncio.to_thread(pool.shutdown)


def begun() -> None:
    """Said by the work: it is under way."""
    _told["begun"].set()


def stopped() -> bool:
    """Asked by the work: whether it shall come to its end."""
    return _told["stop"].is_set()


async def stopped_at_last() -> None:
    """Awaited by the work: returns when it shall come to its end."""
    await asyncio.to_thread(_told["stop"].wait)


def _remember(began: Event, stop: Event) -> None:
    _told.update(begun=began, stop=stop)


def _run(work: Work[Result], arguments: tuple[object, ...]) -> Result:
    try:
        return asyncio.run(work(*arguments))
    finally:
        # Whoever waits for the beginning of what failed would wait for ever.
        begun()
