"""SandboxService: a movable clock, registered only in a sandbox."""

from __future__ import annotations

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from exchange.api.context import Api
from exchange.clock import coalition_now
from exchange.serving.checks import Violations
from exchange.serving.identity import caller_of
from exchange.serving.instants import timestamp
from exchange.v1 import sandbox_service_pb2 as pb
from exchange.v1.sandbox_service_pb2_grpc import SandboxServiceServicer

Context: TypeAlias = ServicerContext[Any, Any]


class SandboxService(SandboxServiceServicer):
    """For trying things out."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def SetClock(self, request: pb.SetClockRequest, context: Context) -> pb.SetClockResponse:
        check = Violations()
        if not request.HasField("time"):
            check.say("time", "is required")
        time = check.instant("time", request.time)
        check.raise_if_any()
        caller = caller_of(context)
        await self._api.directory(caller)
        moved = await self._api.changes.set_clock(caller, time)
        await self._api.due.run()
        await self._api.notices.run()
        return pb.SetClockResponse(time=timestamp(moved))

    async def GetClock(self, request: pb.GetClockRequest, context: Context) -> pb.GetClockResponse:
        del request
        await self._api.directory(caller_of(context))
        async with self._api.database.read() as connection:
            return pb.GetClockResponse(time=timestamp(await coalition_now(connection)))
