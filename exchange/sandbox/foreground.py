"""Running a program that owns a sandbox: whatever ends it, what it started ends with it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """The result of `main`. Ctrl-C, SIGTERM and a closed terminal cancel it, so that its clean-up runs.

    Raises:
        KeyboardInterrupt: for Ctrl-C.
        SystemExit: 128 + the signal's number for the others.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_told(main))


async def _until_told(main: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.ensure_future(main)
    told: list[signal.Signals] = []

    def tell(number: signal.Signals) -> None:
        told.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, tell, number)
    try:
        return await task
    except asyncio.CancelledError:
        if told:
            raise SystemExit(128 + told[0]) from None
        raise
