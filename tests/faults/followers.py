"""Partners' systems that follow events: each keeps its cursor, and goes on with it wherever a server answers."""

from __future__ import annotations

import asyncio
from typing import Any

from grpc import aio

from exchange.v1 import event_service_pb2 as pb
from tests.faults.partners import UNKNOWN
from tests.worlds import Party

PAUSE_SECONDS = 0.05


class Follower:
    """Follows transfers with one credential.

    Attributes:
        told: transfers in the order they were told.
        failures: what watches ended with.
    """

    def __init__(self, party: Party) -> None:
        self._party = party
        self._cursor = ""
        self.told: list[pb.Event] = []
        self.failures: list[aio.AioRpcError] = []

    @property
    def names(self) -> list[str]:
        """Names of the transfers told."""
        return [event.resource for event in self.told]

    def at(self, channel: aio.Channel) -> None:
        """Go on over another connection."""
        self._party = self._party.at(channel)

    async def follow(self) -> None:
        """Until cancelled: watch, and when the watch fails, watch again from the last cursor."""
        while True:
            request = pb.WatchEventsRequest(cursor=self._cursor, kinds=[pb.Event.KIND_TRANSFER])
            stub: Any = self._party.stubs.events
            call = stub.WatchEvents(request, metadata=self._party.metadata)
            try:
                async for answer in call:
                    self.told += answer.events
                    self._cursor = answer.cursor
            except aio.AioRpcError as error:
                if error.code() not in UNKNOWN:
                    raise
                self.failures.append(error)
            finally:
                call.cancel()
            await asyncio.sleep(PAUSE_SECONDS)

    async def until_told(self, count: int, following: asyncio.Task[None]) -> None:
        """Wait until so many transfers were told."""
        while len(self.told) < count:
            assert not following.done(), f"it has given up: {following}"
            await asyncio.sleep(PAUSE_SECONDS)
