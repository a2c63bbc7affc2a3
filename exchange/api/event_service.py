"""EventService: what happened, as a stream or a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from math import inf
from time import monotonic
from typing import Any, Protocol, TypeAlias

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.api.events_out import encoded_event, responses
from exchange.callers import Caller
from exchange.events.model import Viewer
from exchange.events.reader import Walk
from exchange.events.rules import viewer_of
from exchange.ledger.event_kinds import EventKind
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.identity import caller_of
from exchange.serving.paging import page_size
from exchange.v1 import event_service_pb2 as pb
from exchange.v1.event_service_pb2_grpc import EventServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]
_KINDS = known_numbers(pb.Event.Kind)


class _Beginning(Protocol):
    """What both requests have in common."""

    cursor: str
    from_now: bool

    @property
    def kinds(self) -> Any: ...


class EventService(EventServiceServicer):
    """Tells what happened."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def WatchEvents(
        self, request: pb.WatchEventsRequest, context: Context
    ) -> AsyncIterator[pb.WatchEventsResponse]:
        caller = caller_of(context)
        walk = await self._begin(request, caller)
        events, told_at = self._api.events, -inf
        async for page in events.watch(walk):
            coalition = await self._api.source.current()
            coalition.directory.confirm(caller.credential, datetime.now(UTC))
            # An empty page comes at first, and then at least every half of the time within which a sign of life is due.
            if page.entries or monotonic() - told_at >= events.heartbeat_seconds / 2:
                for response in responses(page, coalition, caller, events.cursors):
                    yield response
                told_at = monotonic()

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        size, caller = page_size(request.page_size), caller_of(context)
        walk = await self._begin(request, caller)
        found, more = await self._api.events.page(walk, size)
        coalition = await self._api.source.current()
        response = pb.ListEventsResponse(cursor=self._api.events.cursors.seal(walk.place), more=more)
        for entry in found:
            encoded = encoded_event(entry, coalition, caller, self._api.events.cursors)
            response.events.add().MergeFromString(encoded)
        return response

    async def _begin(self, request: _Beginning, caller: Caller) -> Walk:
        if request.cursor:
            self._api.events.cursors.open(request.cursor)
        viewer = _viewer(request, caller)
        await self._api.directory(caller)
        return await self._api.events.begin(viewer, request.cursor, from_now=request.from_now)


def _viewer(request: _Beginning, caller: Caller) -> Viewer:
    check, kinds = Violations(), set[int]()
    for place, kind in enumerate(request.kinds):
        if kind in kinds:
            check.say(f"kinds[{place}]", "is there twice")
        kinds.add(check.known(f"kinds[{place}]", kind, _KINDS))
    if request.cursor and request.from_now:
        check.say("from_now", "goes without a cursor")
    check.raise_if_any()
    return viewer_of(caller, frozenset(map(EventKind, kinds)))
