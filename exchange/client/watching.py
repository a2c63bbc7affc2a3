"""Keeping up with events: a watch that goes on where it was when a connection ends, whoever ended it."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any

import grpc

from exchange.client.attempts import Attempts
from exchange.client.errors import Refused, Told, Undecided
from exchange.client.policy import Deadlines, Kind
from exchange.v1.event_service_pb2 import Event, WatchEventsRequest, WatchEventsResponse

SILENT_SECONDS_MAX = 45.0
"""The server gives a sign of life every fifteen seconds at least; three missed, and it is asked anew."""
THREAD_SECONDS_MAX = 300.0
"""A thread cannot be woken from waiting for a silent connection: it asks anew this often, silent or not."""
_FOR_EVER = Deadlines(math.inf, math.inf)


def _ended() -> Undecided:
    """A connection that ended or fell silent, whatever gRPC calls it."""
    return Undecided(Told(grpc.StatusCode.UNAVAILABLE, "the watch ended"))


@dataclass(slots=True)
class Place:
    """Where a watch stands, and when it may ask again.

    Attributes:
        cursor: of the last event that was dealt with, or of what was told to be none of the caller's; keep it to go on
            from here another day. Empty: nothing was told yet.
        kinds: those wanted; none: all.
        from_now: without a cursor, what happens from now on instead of what is oldest.
        chance: makes pauses uneven.
    """

    cursor: str
    kinds: Sequence[Event.Kind.ValueType]
    from_now: bool
    chance: random.Random
    _attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        self.calm()

    def calm(self) -> None:
        """The server has spoken: pauses are short again."""
        self._attempts = Attempts(Kind.READING, _FOR_EVER, math.inf, self.chance)

    def request(self) -> WatchEventsRequest:
        """Go on from here."""
        return WatchEventsRequest(cursor=self.cursor, kinds=self.kinds, from_now=self.from_now and not self.cursor)

    def pause_after(self, refused: Refused) -> float:
        """Seconds to wait before asking anew.

        Raises:
            Refused: as it was told; asking again would not help.
        """
        if isinstance(refused, Undecided) and not refused.told.reason:
            # Nobody decided anything about the watch.
            refused = _ended()
        pause = self._attempts.pause_after(refused, 0.0)
        if pause is None:
            raise refused
        return pause


class AsyncWatch:
    """Events one after the other, for ever: `async for event in watch:`.

    Each is told at least once. When the body of the loop raises, or the program dies, an event may come again to
    whoever goes on from the cursor that was kept.
    """

    def __init__(self, place: Place, ask: Callable[[WatchEventsRequest], Any]) -> None:
        self._place, self._ask = place, ask

    @property
    def cursor(self) -> str:
        """Where to go on from; events before it have been dealt with."""
        return self._place.cursor

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events.

        Raises:
            InvalidCursor, CursorExpired: there is nothing to go on from.
            Definite: the caller may not watch.
        """
        while True:
            try:
                async with aclosing(self._ask(self._place.request())) as told:
                    while (answer := await self._next(told)) is not None:
                        self._place.calm()
                        for event in answer.events:
                            yield event
                            self._place.cursor = event.cursor
                        self._place.cursor = answer.cursor
                pause = self._place.pause_after(_ended())
            except Refused as refused:
                pause = self._place.pause_after(refused)
            await asyncio.sleep(pause)

    @staticmethod
    async def _next(told: AsyncGenerator[WatchEventsResponse]) -> WatchEventsResponse | None:
        try:
            async with asyncio.timeout(SILENT_SECONDS_MAX):
                return await anext(told, None)
        except TimeoutError:
            raise _ended() from None


class Watch:
    """The same for threads: `for event in watch:`."""

    def __init__(self, place: Place, ask: Callable[..., Any]) -> None:
        self._place, self._ask = place, ask

    @property
    def cursor(self) -> str:
        """Where to go on from; events before it have been dealt with."""
        return self._place.cursor

    def __iter__(self) -> Iterator[Event]:
        """The events; see `AsyncWatch`."""
        while True:
            try:
                with closing(self._ask(self._place.request(), timeout=THREAD_SECONDS_MAX)) as told:
                    for answer in told:
                        self._place.calm()
                        for event in answer.events:
                            yield event
                            self._place.cursor = event.cursor
                        self._place.cursor = answer.cursor
                pause = self._place.pause_after(_ended())
            except Refused as refused:
                pause = self._place.pause_after(refused)
            time.sleep(pause)
