"""Doing several things at once; the first failure ends them all and is raised as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")


async def for_each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, at_once: int) -> None:
    """Run `work` for every item, at most `at_once` at the same time."""
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await work(item)

    await together(*(worker() for _ in range(at_once)))


async def together(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run them at the same time; all have ended when this returns or raises."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
