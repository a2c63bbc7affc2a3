"""A small service behind the real guard on a real server: what the guard does to calls, without any business."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # ships without type information
from grpc_status import rpc_status  # type: ignore[import-untyped]

from exchange.callers import Caller, CallerRole
from exchange.config import Settings, load_settings
from exchange.refusals import CredentialUnknown, InsufficientPoints
from exchange.serving.guard import Handler
from exchange.serving.identity import caller_of
from exchange.serving.server import GracefulServer
from exchange.v1.transfer_service_pb2 import BatchTransferRequest, ConvertPointsRequest
from exchange.v1.types_pb2 import PointsAmount

SERVICE = "probe.v1.Probe"
MERCHANT = Caller(CallerRole.MERCHANT, "apiKeys/1", 7, "GRO")
AUDITOR = Caller(CallerRole.AUDITOR, "apiKeys/2")
CALLERS = {"merchant-key": MERCHANT, "auditor-key": AUDITOR}
SECRET = "postgresql://exchange:hunter2@10.0.0.7/points"


class DatabaseGone(Exception):
    """Stands for whatever a database driver raises when its server is away."""


class Keys:
    """Callers by key: those in `warm` are known at once, the others are looked up; certificates by name."""

    def __init__(self, warm: Sequence[str] = ()) -> None:
        self.warm = {key: CALLERS[key] for key in warm}
        self.lookups = 0

    def known_key(self, secret: str) -> Caller | None:
        """The callers known from the start."""
        return self.warm.get(secret)

    async def by_key(self, secret: str) -> Caller:
        """Every caller there is, after a pause such as a database would make."""
        self.lookups += 1
        await asyncio.sleep(0)
        if secret not in CALLERS:
            raise CredentialUnknown
        return CALLERS[secret]

    async def by_certificate(self, names: Sequence[str]) -> Caller:
        """One merchant, by one name."""
        if "gro.coalition.example" not in names:
            raise CredentialUnknown
        return Caller(CallerRole.MERCHANT, f"certificates/{names[0]}", 7, "GRO")


class Probe:
    """The methods. Requests and answers are ConvertPointsRequest: it has text, numbers and a nested message."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cleaned_up = asyncio.Event()

    async def echo(self, request: Any, _context: Any) -> Any:
        """The request again."""
        return request

    async def whoami(self, _request: Any, context: Any) -> Any:
        """The name of the credential, as a task of the method sees it."""
        caller = await asyncio.create_task(_caller_in_a_task(context))
        return ConvertPointsRequest(reference=caller.credential)

    async def refuse(self, _request: Any, _context: Any) -> Any:
        """An expected no."""
        raise InsufficientPoints(currency="currencies/TEL", available=3, requested=5)

    async def crash(self, _request: Any, _context: Any) -> Any:
        """A fault whose text must not leave the server."""
        raise RuntimeError(SECRET)

    async def answer_nonsense(self, _request: Any, _context: Any) -> Any:
        """An answer that is no message."""
        return SECRET

    async def cancel_itself(self, _request: Any, _context: Any) -> Any:
        """What happens when something awaited was cancelled by somebody else."""
        raise asyncio.CancelledError(SECRET)

    async def lose_the_database(self, _request: Any, _context: Any) -> Any:
        """What a driver raises when its server dies."""
        raise DatabaseGone(SECRET)

    async def wait(self, request: Any, _context: Any) -> Any:
        """The request again, once the test says so."""
        self.entered.set()
        try:
            await self.go_on.wait()
        finally:
            self.cleaned_up.set()
        return request

    async def batch(self, request: Any, _context: Any) -> Any:
        """How many items came."""
        return ConvertPointsRequest(reference=str(len(request.items)))

    async def count(self, request: Any, _context: Any) -> AsyncIterator[Any]:
        """As many answers as the request has units; then, if it asks for it, a crash."""
        for units in range(request.source.units):
            yield ConvertPointsRequest(source=PointsAmount(units=units))
        if request.reference == "crash":
            raise RuntimeError(SECRET)

    async def follow(self, request: Any, _context: Any) -> AsyncIterator[Any]:
        """One answer, and then nothing until the test says so."""
        yield request
        self.entered.set()
        try:
            await self.go_on.wait()
        finally:
            self.cleaned_up.set()

    async def chat(self, requests: Any, _context: Any) -> AsyncIterator[Any]:
        """Each request again as it comes."""
        async for request in requests:
            yield request

    def handlers(self) -> dict[str, Handler]:
        """The methods as generated code would register them."""
        unary = {
            "Echo": self.echo,
            "Whoami": self.whoami,
            "Refuse": self.refuse,
            "Crash": self.crash,
            "AnswerNonsense": self.answer_nonsense,
            "CancelItself": self.cancel_itself,
            "LoseTheDatabase": self.lose_the_database,
            "Wait": self.wait,
            "MerchantsOnly": self.echo,
            "NoRow": self.echo,
        }
        codec = (ConvertPointsRequest.FromString, ConvertPointsRequest.SerializeToString)
        make = grpc.unary_unary_rpc_method_handler
        handlers: dict[str, Any] = {name: make(method, *codec) for name, method in unary.items()}
        handlers["Batch"] = make(self.batch, BatchTransferRequest.FromString, codec[1])
        handlers["Count"] = grpc.unary_stream_rpc_method_handler(self.count, *codec)
        handlers["Follow"] = grpc.unary_stream_rpc_method_handler(self.follow, *codec)
        handlers["Chat"] = grpc.stream_stream_rpc_method_handler(self.chat, *codec)
        return handlers


async def _caller_in_a_task(context: Any) -> Caller:
    return caller_of(context)


ALL = frozenset(CallerRole)
PERMISSIONS: Mapping[str, frozenset[CallerRole]] = {
    **{f"/{SERVICE}/{name}": ALL for name in Probe.handlers(Probe.__new__(Probe)) if name != "NoRow"},
    f"/{SERVICE}/MerchantsOnly": frozenset({CallerRole.MERCHANT}),
}


class Client:
    """Calls the probe through a channel with a credential."""

    def __init__(self, channel: grpc.aio.Channel, authorization: str | None = "Bearer merchant-key") -> None:
        self.channel = channel
        self._metadata = () if authorization is None else (("authorization", authorization),)

    def call(self, method: str, request: Any = None, **options: Any) -> grpc.aio.UnaryUnaryCall[Any, Any]:
        """A unary call; a request may be a message or raw bytes."""
        stub = self.channel.unary_unary(self._path(method), _bytes, ConvertPointsRequest.FromString)
        return stub(request if request is not None else ConvertPointsRequest(), metadata=self._metadata, **options)

    def stream(self, method: str, request: Any) -> grpc.aio.UnaryStreamCall[Any, Any]:
        """A call answered by a stream."""
        stub = self.channel.unary_stream(self._path(method), _bytes, ConvertPointsRequest.FromString)
        return stub(request, metadata=self._metadata)

    def chat(self, requests: Any = None) -> grpc.aio.StreamStreamCall[Any, Any]:
        """Streams both ways."""
        stub = self.channel.stream_stream(self._path("Chat"), _bytes, ConvertPointsRequest.FromString)
        return stub(requests, metadata=self._metadata)

    async def refused(self, method: str, request: Any = None, **options: Any) -> Answer:
        """The refusal a unary call ends with."""
        return await refusal_of(self.call(method, request, **options))

    def _path(self, method: str) -> str:
        return method if method.startswith("/") else f"/{SERVICE}/{method}"


class Answer:
    """A status with its details unpacked."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code, self.text = error.code(), error.details() or ""
        status: status_pb2.Status | None = rpc_status.from_call(error)
        self.trailer = dict(error.trailing_metadata() or ())
        self.raw = status.SerializeToString() if status else b""
        self.details = list(status.details) if status else []
        info = self.detail(error_details_pb2.ErrorInfo)
        self.reason: str = info.reason if info else ""
        self.domain: str = info.domain if info else ""
        self.metadata: dict[str, str] = dict(info.metadata) if info else {}

    def detail(self, kind: type[Any]) -> Any:
        """The one detail of a kind, or None."""
        found = [packed for packed in self.details if packed.Is(kind.DESCRIPTOR)]
        assert len(found) <= 1, f"several of {kind}"
        if not found:
            return None
        message = kind()
        found[0].Unpack(message)
        return message

    @property
    def fields(self) -> list[str]:
        """Fields to blame."""
        bad = self.detail(error_details_pb2.BadRequest)
        return [violation.field for violation in bad.field_violations] if bad else []


async def refusal_of(call: Any) -> Answer:
    """Waits for a call that must be refused."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return Answer(error)
    raise AssertionError(f"expected a refusal, got {answer}")


def is_database_gone(error: BaseException) -> bool:
    """What the composition root would tell the guard about its driver."""
    return isinstance(error, DatabaseGone)


@contextlib.asynccontextmanager
async def a_server(
    probe: Probe | None = None, keys: Keys | None = None, **given: Any
) -> AsyncIterator[tuple[GracefulServer, int, Settings]]:
    """The probe served with the given settings, on any free port."""
    settings = load_settings(**{"port": 0, "drain_seconds": 5.0, **given})
    server = GracefulServer(
        settings, authenticator=keys or Keys(), is_database_down=is_database_gone, permissions=PERMISSIONS
    )
    server.registry.add_registered_method_handlers(SERVICE, (probe or Probe()).handlers())
    port = await server.start()
    try:
        yield server, port, settings
    finally:
        await server.drain()


@contextlib.asynccontextmanager
async def a_probe(
    probe: Probe | None = None, authorization: str | None = "Bearer merchant-key", **given: Any
) -> AsyncIterator[tuple[Client, GracefulServer]]:
    """A client of a probe served in plaintext."""
    async with a_server(probe, **given) as (server, port, _), a_channel(port) as channel:
        yield Client(channel, authorization), server


def a_channel(port: int) -> grpc.aio.Channel:
    """A connection of its own to a plaintext server."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.use_local_subchannel_pool", 1),))


def _bytes(request: Any) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()
