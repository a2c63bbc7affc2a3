"""Work a server does by itself, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


async def keep_running(every_seconds: float, *works: Callable[[], Awaitable[object]]) -> None:
    """Do each piece of work in turn until cancelled; one that fails is tried again the next time."""
    while True:
        await asyncio.sleep(every_seconds)
        for work in works:
            try:
                await work()
            except Exception:
                log.warning("upkeep failed; it is tried again", work=work.__qualname__, exc_info=True)
