"""Every method there is on the wire, by walking the descriptors of the services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.message import Message
from grpc import aio

from exchange.v1 import (
    directory_service_pb2,
    event_service_pb2,
    external_ledger_service_pb2,
    limit_service_pb2,
    member_service_pb2,
    rate_service_pb2,
    sandbox_service_pb2,
    transfer_service_pb2,
)
from settlement.v1 import settlement_service_pb2
from tests.worlds import Party

FILES = (
    directory_service_pb2,
    event_service_pb2,
    limit_service_pb2,
    external_ledger_service_pb2,
    member_service_pb2,
    rate_service_pb2,
    sandbox_service_pb2,
    transfer_service_pb2,
    settlement_service_pb2,
)


@dataclass(frozen=True, slots=True)
class Method:
    """A method.

    Attributes:
        path: as HTTP/2 says it, "/exchange.v1.TransferService/EarnPoints".
        request: its message type.
        answer: its message type.
        streams: whether both sides may send any number of messages.
        goes_on: whether one request is answered by messages without end.
    """

    path: str
    request: Descriptor
    answer: Descriptor
    streams: bool
    goes_on: bool = False

    @property
    def name(self) -> str:
        """Without its service: EarnPoints."""
        return self.path.rpartition("/")[2]

    def new_request(self) -> Message:
        """An empty request."""
        return message_factory.GetMessageClass(self.request)()

    async def call(self, channel: aio.Channel, caller: Party | None, request: Message) -> Message:
        """Ask; without a caller no credential is sent."""
        return await self.call_raw(channel, caller, request.SerializeToString())

    async def call_raw(self, channel: aio.Channel, caller: Party | None, request: bytes) -> Message:
        """Ask with bytes that may be no message; of a stream, the answer to its only request, or the first answer."""
        parse = message_factory.GetMessageClass(self.answer).FromString
        metadata = caller.metadata if caller else ()
        if self.streams:
            stream: aio.StreamStreamMultiCallable[bytes, Message] = channel.stream_stream(
                self.path, response_deserializer=parse
            )
            answers = [answer async for answer in stream(iter([request]), metadata=metadata, timeout=30.0)]
            assert len(answers) == 1
            return answers[0]
        if self.goes_on:
            watch: aio.UnaryStreamMultiCallable[bytes, Message] = channel.unary_stream(
                self.path, response_deserializer=parse
            )
            going_on = watch(request, metadata=metadata, timeout=30.0)
            async for answer in going_on:
                going_on.cancel()
                return answer
            raise AssertionError("it ended without an answer")
        method: aio.UnaryUnaryMultiCallable[bytes, Message] = channel.unary_unary(
            self.path, response_deserializer=parse
        )
        return await method(request, metadata=metadata, timeout=30.0)


def _methods_of(file: FileDescriptor) -> list[Method]:
    return [
        Method(
            f"/{service.full_name}/{method.name}",
            method.input_type,
            method.output_type,
            streams=method.client_streaming,
            goes_on=method.server_streaming and not method.client_streaming,
        )
        for service in file.services_by_name.values()
        for method in service.methods
    ]


def every_method() -> dict[str, Method]:
    """By name; no two services have methods of one name."""
    found: dict[str, Method] = {}
    for module in FILES:
        descriptor: Any = module.DESCRIPTOR
        for method in _methods_of(descriptor):
            assert method.name not in found, method.name
            found[method.name] = method
    return found


METHODS = every_method()
