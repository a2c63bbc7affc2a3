"""Watching events as a partner's program does: a stream that can be left and resumed by its last cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from grpc import aio

from exchange.v1 import event_service_pb2 as pb
from tests.contract.refusals import Refused, refusal_of
from tests.worlds import Party

Kind = pb.Event.Kind
WATCH_SECONDS_MAX = 60.0


class Watch:
    """A WatchEvents call under way.

    Attributes:
        cursor: of the last event, or of the last sign of life.
    """

    def __init__(self, call: aio.UnaryStreamCall[pb.WatchEventsRequest, pb.WatchEventsResponse]) -> None:
        self._answers = aiter(call)
        self._come: list[pb.Event] = []
        self.cursor = ""

    async def answer(self) -> pb.WatchEventsResponse:
        """The next message, or the error the call ends with."""
        answer = await anext(self._answers)
        self.cursor = answer.cursor
        return answer

    async def take(self, count: int) -> list[pb.Event]:
        """The next events, however many messages they come in; what comes along with them is kept for the next time."""
        while len(self._come) < count:
            self._come += (await self.answer()).events
        taken, self._come = self._come[:count], self._come[count:]
        return taken

    async def until(self, resource: str) -> list[pb.Event]:
        """Events up to the one of a resource, which is the last."""
        taken = await self.take(1)
        while taken[-1].resource != resource:
            taken += await self.take(1)
        return taken


@asynccontextmanager
async def watching(party: Party, **fields: Any) -> AsyncIterator[Watch]:
    """A watch for as long as the block runs; `fields` are those of WatchEventsRequest. Begun when the block begins."""
    stub: Any = party.stubs.events
    call = stub.WatchEvents(pb.WatchEventsRequest(**fields), metadata=party.metadata, timeout=WATCH_SECONDS_MAX)
    try:
        yield Watch(call)
    finally:
        call.cancel()


async def listed(party: Party, page_size: int = 1_000, **fields: Any) -> tuple[list[pb.Event], str]:
    """Every event there is for a caller, asked for page by page, and the cursor to go on from."""
    found: list[pb.Event] = []
    page = pb.ListEventsResponse(more=True)
    while page.more:
        page = await party.ask(party.stubs.events.ListEvents, pb.ListEventsRequest(page_size=page_size, **fields))
        found += page.events
        fields = {**fields, "cursor": page.cursor, "from_now": False}
    return found, page.cursor


def resources(events: Sequence[pb.Event]) -> list[str]:
    """What the events happened to."""
    return [event.resource for event in events]


def kinds(events: Sequence[pb.Event]) -> list[str]:
    """What happened, without the enum's prefix."""
    return [Kind.Name(event.kind).removeprefix("KIND_") for event in events]


async def a_page(party: Party, **fields: Any) -> pb.ListEventsResponse:
    """A page of events."""
    return await party.ask(party.stubs.events.ListEvents, pb.ListEventsRequest(**fields))


async def cursor_now(party: Party) -> str:
    """The cursor from which what happens from now on follows."""
    return (await a_page(party, from_now=True)).cursor


async def last_words(watch: Watch) -> Refused:
    """The refusal a watch ends with, whatever it tells before."""
    while True:
        try:
            await watch.answer()
        except aio.AioRpcError as error:
            return refusal_of(error)
