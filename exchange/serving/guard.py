"""The one gate every call passes: admission, identity, permission, draining, deadline, and refusals as statuses.

The guard is gRPC's only handler and stands around every method, wrapped once when it is registered. It is a handler and
no interceptor because a handler is found without awaiting, takes the raw bytes (so that what is malformed is answered
here and not by gRPC) and cannot be gone round.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeAlias, cast

import grpc

from exchange.callers import Caller
from exchange.config import Settings
from exchange.refusals import (
    DeadlinePassed,
    MethodNotAllowed,
    ServerBusy,
    ServerDraining,
    UnknownMethod,
)
from exchange.serving import parsing
from exchange.serving.errors import CODE_OF_NUMBER, abort_with, abort_with_status
from exchange.serving.failures import Failures, Task, current_task
from exchange.serving.identity import (
    Authenticator,
    Metadata,
    caller_by_certificate,
    secret_of,
    set_caller,
)
from exchange.serving.meter import Meter, Tally
from exchange.serving.permissions import PERMISSIONS, Roles
from exchange.serving.quotas import Gate

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behaviour = Callable[[Any, Context], Any]

OPEN_SERVICES = frozenset({"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"})
"""Ask for no credential and are not counted: a load balancer has none, and must hear from a full server too."""

_UNLIMITED = sys.maxsize
# gRPC finds the handler in the task that then runs it, and has read the metadata by then; asking the context for it
# again would cost more than all the rest of the guard.
_METADATA: ContextVar[Metadata] = ContextVar("metadata")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process takes at once: unary calls in flight, open streams, and seconds for a unary call."""

    admission_max: int
    streams_max: int
    deadline_seconds_max: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits among the settings."""
        return cls(settings.admission_max, settings.streams_max, settings.deadline_seconds_max)


class Guard(grpc.GenericRpcHandler):
    """Wraps every method that is registered with it; generated `add_…_to_server` functions take it for a server.

    Args:
        authenticator: knows callers by their credentials.
        is_database_down: whether an exception says that the database does not answer.
        limits: what is taken at once.
        permissions: roles by full method name; a method without a row is refused to everybody.
        gate: quotas of single merchants.

    Attributes:
        draining: nobody new is served.
        loop: in which calls run, once that is known.
    """

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        is_database_down: Callable[[BaseException], bool],
        limits: Limits,
        permissions: Mapping[str, Roles] = PERMISSIONS,
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate or Gate()
        self.draining = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.meter = Meter()
        self._authenticator = authenticator
        self._failures = Failures(is_database_down)
        self._limits = limits
        self._permissions = permissions
        self._handlers: dict[str, Handler] = {}
        self._services: set[str] = set()
        self._calls: dict[Task, float] = {}
        self._streams: dict[Task, float] = {}
        self._open_streams: dict[Task, float] = {}
        self.meter.gauge("exchange_calls_in_flight", "Unary calls under way.", lambda: len(self._calls))
        self.meter.gauge("exchange_streams_open", "Streaming calls under way.", lambda: len(self._streams))

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Handler]) -> None:
        """Called by generated code: wraps the methods of a service."""
        self._services.add(service_name)
        for name, handler in method_handlers.items():
            method = f"/{service_name}/{name}"
            roles = None if service_name in OPEN_SERVICES else self._permissions.get(method, frozenset())
            wrap = self._streaming if handler.response_streaming else self._unary
            self._handlers[method] = wrap(method, handler, roles)

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Called by generated code beside `add_registered_method_handlers`, with the same methods: nothing to add."""

    @property
    def service_names(self) -> frozenset[str]:
        """Full names of the services registered so far."""
        return frozenset(self._services)

    @property
    def calls_in_flight(self) -> int:
        """Unary calls under way."""
        return len(self._calls)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Called by gRPC for every call, in the call's own task."""
        _METADATA.set(cast("Metadata", handler_call_details.invocation_metadata))
        method = handler_call_details.method
        return self._handlers.get(method) or _unknown(method)

    def end_overdue(self) -> None:
        """Ends unary calls that take too long. To be called now and then: a timer for each call would cost more."""
        began_latest = monotonic() - self._limits.deadline_seconds_max
        for task, began in self._calls.items():
            if began > began_latest:
                break
            self._failures.end(task, DeadlinePassed())
        self._failures.forget_finished()

    def end_streams(self) -> None:
        """Ends every stream, telling its caller that the server is shutting down."""
        for task in (*self._streams, *self._open_streams):
            self._failures.end(task, ServerDraining())

    def _unary(self, method: str, handler: Handler, roles: Roles | None) -> Handler:
        assert not handler.request_streaming, f"{method}: a stream of requests wants a stream of answers"
        behaviour, parse, serialize = cast("Behaviour", handler.unary_unary), _parse(handler), _serialize(handler)
        tally, calls, limit = self.meter.tally(method), self._calls, self._limits.admission_max
        gate = self._gate

        async def call(data: bytes, context: Context) -> bytes:
            """Hot: every transfer comes through here. A wrong answer fails within, so that it is told as our fault."""
            began = monotonic()
            try:
                if roles is None:
                    answer = serialize(await behaviour(parse(data), context))
                else:
                    task = current_task(self.loop)
                    _enter(calls, limit, task, began)
                    try:
                        caller = self._known_caller() or await self._looked_up_caller(context)
                        self._admit(caller, method, roles)
                        gate.enter(caller, task)
                        answer = serialize(await behaviour(parse(data), context))
                    finally:
                        del calls[task]
                        gate.leave(task)
            except BaseException as error:
                await self._refuse(error, context, tally, began)
                raise
            tally.answer(monotonic() - began)
            return answer

        return grpc.unary_unary_rpc_method_handler(call)

    def _streaming(self, method: str, handler: Handler, roles: Roles | None) -> Handler:
        behaviour = cast("Behaviour", handler.stream_stream if handler.request_streaming else handler.unary_stream)
        parse, serialize = _parse(handler), _serialize(handler)
        tally, limit = self.meter.tally(method), self._limits.streams_max
        streams = self._open_streams if roles is None else self._streams

        async def call(received: Any, context: Context) -> None:
            began, task = monotonic(), current_task()
            try:
                _enter(streams, limit if roles is not None else _UNLIMITED, task, began)
                try:
                    if roles is not None:
                        caller = self._known_caller() or await self._looked_up_caller(context)
                        self._admit(caller, method, roles)
                        self._gate.enter(caller, task)
                    request = received if handler.request_streaming else parse(received)
                    await _write_all(behaviour(request, context), context)
                finally:
                    del streams[task]
                    self._gate.leave(task)
            except BaseException as error:
                await self._refuse(error, context, tally, began)
                raise
            tally.answer(monotonic() - began)

        if handler.request_streaming:
            return grpc.stream_stream_rpc_method_handler(call, parse, serialize)
        return grpc.unary_stream_rpc_method_handler(call, None, serialize)

    def _known_caller(self) -> Caller | None:
        secret = secret_of(_METADATA.get())
        return None if secret is None else self._authenticator.known_key(secret)

    async def _looked_up_caller(self, context: Context) -> Caller:
        secret = secret_of(_METADATA.get())
        if secret is not None:
            return await self._authenticator.by_key(secret)
        return await caller_by_certificate(self._authenticator, context)

    def _admit(self, caller: Caller, method: str, roles: Roles) -> None:
        set_caller(caller)
        if caller.role not in roles:
            raise MethodNotAllowed(method=method, caller_role=caller.role.name)
        if self.draining:
            raise ServerDraining

    async def _refuse(self, error: BaseException, context: Context, tally: Tally, began: float) -> None:
        """Ends the call with the status of what was raised; returns when the error is gRPC's own affair."""
        status = self._failures.status_for(error, tally.method)
        if status is None:
            cancelled = isinstance(error, asyncio.CancelledError)
            tally.refuse(grpc.StatusCode.CANCELLED if cancelled else grpc.StatusCode.UNKNOWN, monotonic() - began)
        else:
            tally.refuse(CODE_OF_NUMBER[status.code], monotonic() - began)
            await abort_with_status(context, status)


def _enter(places: dict[Task, float], limit: int, task: Task, began: float) -> None:
    if len(places) >= limit:
        raise ServerBusy(limit=limit)
    places[task] = began


async def _write_all(produced: AsyncGenerator[Any] | Awaitable[None], context: Context) -> None:
    """Runs a streaming method: an async generator, or a coroutine that writes its answers itself."""
    if isinstance(produced, AsyncGenerator):
        async with aclosing(produced):
            async for message in produced:
                await context.write(message)
    else:
        await produced


def _parse(handler: Handler) -> parsing.Parse:
    assert handler.request_deserializer is not None, "the guard parses requests: generated code says how"
    return parsing.strict(handler.request_deserializer)


def _serialize(handler: Handler) -> Callable[[Any], bytes]:
    """How an answer becomes bytes; a method of the busiest has written them itself."""
    assert handler.response_serializer is not None, "the guard serializes answers: generated code says how"
    serialize: Callable[[Any], bytes] = handler.response_serializer
    return lambda answer: answer if type(answer) is bytes else serialize(answer)


def _unknown(method: str) -> Handler:
    async def call(_requests: Any, context: Context) -> None:
        await abort_with(context, UnknownMethod(method=method))

    # As a stream: gRPC would wait for a request before it calls a unary method.
    return grpc.stream_stream_rpc_method_handler(call)
