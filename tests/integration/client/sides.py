"""A partner's program on either client, as one thing that can be asked: the same tests hold for both."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

from exchange.client import AsyncClient, Client

SIDES = ("asyncio", "threads")


@dataclass(frozen=True, slots=True)
class Side:
    """A client of one kind."""

    client: Any

    async def ask(self, service: str, method: str, request: Any, **options: Any) -> Any:
        """The answer of a unary method."""
        return await self._done(getattr(getattr(self.client, service), method), request, **options)

    async def move(self, method: str, request: Any, **options: Any) -> Any:
        """The answer of a movement."""
        return await self.ask("transfers", method, request, **options)

    async def outcome(self, request_id: str) -> Any:
        """What became of a movement."""
        return await self._done(self.client.outcome, request_id)

    async def pages(self, method: Any, request: Any) -> list[Any]:
        """Every page of a list."""
        if isinstance(self.client, AsyncClient):
            return [page async for page in self.client.pages(method, request)]
        return await asyncio.to_thread(lambda: list(self.client.pages(method, request)))

    async def stream(self, requests: list[Any]) -> list[Any]:
        """The answers to a stream of movements that ends."""
        if isinstance(self.client, AsyncClient):

            async def sent() -> AsyncIterator[Any]:
                for request in requests:
                    yield request

            answers: Any = self.client.transfers.StreamTransfers(sent())
            return [answer async for answer in answers]
        return await asyncio.to_thread(lambda: list(self.client.transfers.StreamTransfers(iter(requests))))

    async def first_events(self, watch: Any, count: int) -> list[Any]:
        """The next events of a watch, the last of them not dealt with."""
        if isinstance(self.client, AsyncClient):
            async with aclosing(aiter(watch)) as events:
                return [await anext(events) for _ in range(count)]

        def take() -> list[Any]:
            with closing(iter(watch)) as events:
                return list(itertools.islice(events, count))

        return await asyncio.to_thread(take)

    def keep_telling(self, watch: Any, told: asyncio.Queue[str]) -> asyncio.Task[None]:
        """Put the resources of a watch's events into a queue, until the task is cancelled or the client closed."""
        loop = asyncio.get_running_loop()

        async def tell() -> None:
            async for event in watch:
                await told.put(event.resource)

        def tell_from_a_thread() -> None:
            for event in watch:
                loop.call_soon_threadsafe(told.put_nowait, event.resource)

        if isinstance(self.client, AsyncClient):
            return asyncio.create_task(tell())
        return asyncio.create_task(asyncio.to_thread(tell_from_a_thread))

    async def _done(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if isinstance(self.client, AsyncClient):
            return await call(*arguments, **options)
        return await asyncio.to_thread(call, *arguments, **options)


@asynccontextmanager
async def a_side(kind: str, address: str, key: str) -> AsyncIterator[Side]:
    """A connected client of that kind."""
    if kind == "asyncio":
        async with AsyncClient(address, key) as client:
            yield Side(client)
    else:
        with Client(address, key) as blocking:
            yield Side(blocking)
