"""The client for threads: the same as the one for asyncio, blocking. Any number of threads may share one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeVar, cast

import grpc
from google.protobuf.message import Message

from exchange.client.attempts import Attempts
from exchange.client.connection import OPTIONS, authorization, refuse_open_wire
from exchange.client.errors import refused, told_by, told_in
from exchange.client.keys import give_key
from exchange.client.policy import Kind, waited_for
from exchange.client.reasons import ResourceNotFound
from exchange.client.watching import Place, Watch
from exchange.v1.directory_service_pb2_grpc import DirectoryServiceStub
from exchange.v1.event_service_pb2 import Event
from exchange.v1.event_service_pb2_grpc import EventServiceStub
from exchange.v1.limit_service_pb2_grpc import LimitServiceStub
from exchange.v1.member_service_pb2_grpc import MemberServiceStub
from exchange.v1.rate_service_pb2_grpc import RateServiceStub
from exchange.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from exchange.v1.transfer_service_pb2 import LookupTransferRequest
from exchange.v1.transfer_service_pb2_grpc import TransferServiceStub
from exchange.v1.types_pb2 import Transfer

Question = TypeVar("Question", bound=Message)
Page = TypeVar("Page", bound=Message)
Metadata = tuple[tuple[str, str], ...]


class Client:
    """One caller's side of the exchange. To be used as `with Client(address, key) as client:`.

    Each service stands as its generated stub: `client.transfers.EarnPoints(request)`. What the stub's methods do
    beyond gRPC's: a movement without request_id gets one, in the request itself; a call has the deadline of its method
    unless `timeout` says how many seconds it may take in all; what is safe is asked again until then; and a refusal is
    raised as the exception of its reason (`exchange.client.reasons`).

    Args:
        address: "exchange.example:443".
        key: the secret of an API key; None where a client certificate in `credentials` says who is calling.
        credentials: TLS; None: plaintext, to this machine only.
        chance: what makes pauses between attempts uneven.

    Raises:
        ValueError: plaintext to what may be another machine.
    """

    def __init__(
        self,
        address: str,
        key: str | None,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        chance: random.Random | None = None,
    ) -> None:
        if credentials is None:
            refuse_open_wire(address)
            self._wire = grpc.insecure_channel(address, options=OPTIONS)
        else:
            self._wire = grpc.secure_channel(address, credentials, options=OPTIONS)
        self._chance = chance or random.Random()  # noqa: S311 - guards nothing
        calls = _Calls(self._wire, authorization(key), self._chance)
        self.channel = cast("grpc.Channel", calls)
        """For any other generated stub: `SettlementServiceStub(client.channel)`."""
        self.directory = DirectoryServiceStub(self.channel)
        self.members = MemberServiceStub(self.channel)
        self.rates = RateServiceStub(self.channel)
        self.transfers = TransferServiceStub(self.channel)
        self.events = EventServiceStub(self.channel)
        self.limits = LimitServiceStub(self.channel)
        self.sandbox = SandboxServiceStub(self.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls under way are cancelled."""
        self._wire.close()

    def pages(self, method: grpc.UnaryUnaryMultiCallable[Question, Page], request: Question) -> Iterator[Page]:
        """The pages of a list, from the one the request names to the last; the request stays as it is."""
        asked: Any = type(request)()
        asked.CopyFrom(request)
        while True:
            page: Any = method(asked)
            yield page
            if not page.next_page_token:
                return
            asked.page_token = page.next_page_token

    def outcome(self, request_id: str) -> Transfer | None:
        """What became of a movement: its transfer. None: nothing, unless a call with it is still under way.

        Raises:
            Refused: the no it was told.
        """
        try:
            answer = self.transfers.LookupTransfer(LookupTransferRequest(request_id=request_id))
        except ResourceNotFound:
            return None
        if answer.status.code:
            raise refused(told_in(answer.status), request_id)
        return answer.transfers[0]

    def watch(self, cursor: str = "", *, kinds: Sequence[Event.Kind.ValueType] = (), from_now: bool = False) -> Watch:
        """Events as they happen, through broken connections and restarts of the server, each at least once.

        Args:
            cursor: where to go on from, as an event or an earlier watch gave it; empty: the oldest event kept.
            kinds: those wanted; none: all.
            from_now: without a cursor, only what happens from now on.
        """
        return Watch(Place(cursor, kinds, from_now, self._chance), self.events.WatchEvents)


class _Calls:
    """What generated stubs take for a channel."""

    def __init__(self, wire: grpc.Channel, metadata: Metadata, chance: random.Random) -> None:
        self._wire, self._metadata, self._chance = wire, metadata, chance

    def unary_unary(self, path: str, **coding: Any) -> Callable[..., Any]:
        """A method with one question and one answer."""
        kind, deadlines = waited_for(path)
        ask = self._wire.unary_unary(path, **coding)

        def call(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
            request_id = give_key(request) if kind is Kind.MOVEMENT else ""
            began = time.monotonic()
            attempts = Attempts(
                kind, deadlines, began + (deadlines.whole if timeout is None else timeout), self._chance
            )
            while True:
                try:
                    return ask(request, timeout=attempts.timeout(time.monotonic()), metadata=self._metadata + metadata)
                except grpc.RpcError as error:
                    refusal = refused(told_by(error), request_id)
                    pause = attempts.pause_after(refusal, time.monotonic())
                    if pause is None:
                        raise attempts.verdict(refusal) from error
                time.sleep(pause)

        return call

    def unary_stream(self, path: str, **coding: Any) -> Callable[..., Iterator[Any]]:
        """A method with one question and a stream of answers."""
        ask = self._wire.unary_stream(path, **coding)

        def call(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Iterator[Any]:
            return _answers(ask(request, timeout=timeout, metadata=self._metadata + metadata))

        return call

    def stream_stream(self, path: str, **coding: Any) -> Callable[..., Iterator[Any]]:
        """A method with a stream of questions and a stream of answers; movements among the questions get keys."""
        ask = self._wire.stream_stream(path, **coding)

        def call(requests: Iterator[Any], *, metadata: Metadata = ()) -> Iterator[Any]:
            return _answers(ask(_with_keys(requests), metadata=self._metadata + metadata))

        return call


def _with_keys(requests: Iterator[Any]) -> Iterator[Any]:
    for request in requests:
        give_key(request)
        yield request


def _answers(call: Any) -> Iterator[Any]:
    try:
        yield from call
    except grpc.RpcError as error:
        raise refused(told_by(error)) from error
    finally:
        call.cancel()
