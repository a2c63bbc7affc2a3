"""What kind of call each method is, and from it: how long to wait for it, and what of it may be asked again.

Nothing here names a method that the protos do not: a new one has its kind by its name and its request. The published
retry policy (docs/retry-policy.json) and table of deadlines (docs/clients.md) are written from this.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor

READING = ("Get", "List", "Lookup")
"""How the names of methods begin that change nothing."""


class Kind(enum.Enum):
    """What a method does, as far as repeating it goes."""

    MOVEMENT = "movement"
    """Has a request_id: repeated with the same one it gets the first answer."""
    READING = "reading"
    """Changes nothing."""
    CHANGE = "change"
    """Changes something and has no key: repeated only when nothing was begun."""
    STREAM = "stream"
    """Ends when somebody ends it."""


class Deadlines(NamedTuple):
    """Seconds one attempt at a call may take, and all of them with the pauses between."""

    attempt: float
    whole: float


CODE_OF_NAME = {code.name: code for code in grpc.StatusCode}
_CODES = grpc.StatusCode
RETRIED: dict[Kind, tuple[grpc.StatusCode, ...]] = {
    Kind.MOVEMENT: (_CODES.UNAVAILABLE, _CODES.DEADLINE_EXCEEDED, _CODES.RESOURCE_EXHAUSTED),
    Kind.READING: (_CODES.UNAVAILABLE, _CODES.DEADLINE_EXCEEDED, _CODES.RESOURCE_EXHAUSTED),
    Kind.CHANGE: (_CODES.RESOURCE_EXHAUSTED,),
    Kind.STREAM: (),
}
"""Statuses after which a call may be made again."""
NOTHING_BEGUN = frozenset({"SERVER_BUSY", "SERVER_DRAINING"})
"""Reasons after which any call may be made again: it was refused at the door."""

FIRST_PAUSE_SECONDS = 0.2
PAUSE_FACTOR = 3
PAUSE_SECONDS_MAX = 5.0
ATTEMPTS_MAX_OF_GRPC = 5
"""More gRPC's own retrying does not make; this client goes on until its deadline."""

_DEADLINES = {
    Kind.MOVEMENT: Deadlines(5, 30),
    Kind.READING: Deadlines(5, 30),
    Kind.CHANGE: Deadlines(10, 30),
}
_OWN_DEADLINES = {
    # A thousand movements, and a server may be busy with other thousands.
    "BatchTransfer": Deadlines(20, 60),
    # Nets a whole window before it answers.
    "StartRun": Deadlines(30, 60),
}


def kind_of(method: MethodDescriptor) -> Kind:
    """What kind of call a method is."""
    if method.client_streaming or method.server_streaming:
        return Kind.STREAM
    if method.name.startswith(READING):
        return Kind.READING
    return Kind.MOVEMENT if _is_keyed(method.input_type) else Kind.CHANGE


def _is_keyed(request: Descriptor) -> bool:
    """Whether a request has a request_id, or its items have."""
    if "request_id" in request.fields_by_name:
        return True
    items = request.fields_by_name.get("items")
    if items is None or items.message_type is None:
        return False
    requests = [field.message_type for field in items.message_type.fields]
    return bool(requests) and all(one is not None and "request_id" in one.fields_by_name for one in requests)


def deadlines_of(method: MethodDescriptor) -> Deadlines | None:
    """How long to wait; None for a stream, which has no end to wait for."""
    kind = kind_of(method)
    return None if kind is Kind.STREAM else _OWN_DEADLINES.get(method.name, _DEADLINES[kind])


def waited_for(path: str) -> tuple[Kind, Deadlines]:
    """Kind and deadlines of the method "/exchange.v1.TransferService/EarnPoints", which is no stream."""
    pool: Any = descriptor_pool.Default()
    method = pool.FindMethodByName(path.strip("/").replace("/", "."))
    deadlines = deadlines_of(method)
    assert deadlines is not None, f"{path} is a stream"
    return kind_of(method), deadlines


def service_config(services: Iterable[ServiceDescriptor]) -> dict[str, Any]:
    """The policy as any gRPC client takes it, in the form of grpc.service_config.ServiceConfig.

    It cannot say all: which reasons mean that nothing was begun, and RetryInfo, which the server therefore repeats as
    "grpc-retry-pushback-ms".
    """
    names: dict[Kind, list[dict[str, str]]] = {}
    for service in services:
        for method in service.methods:
            names.setdefault(kind_of(method), []).append({"service": service.full_name, "method": method.name})
    return {
        "methodConfig": [
            {
                "name": names[kind],
                "retryPolicy": {
                    "maxAttempts": ATTEMPTS_MAX_OF_GRPC,
                    "initialBackoff": f"{FIRST_PAUSE_SECONDS}s",
                    "maxBackoff": f"{PAUSE_SECONDS_MAX:g}s",
                    "backoffMultiplier": PAUSE_FACTOR,
                    "retryableStatusCodes": [code.name for code in RETRIED[kind]],
                },
            }
            for kind in Kind
            if kind in names and RETRIED[kind]
        ]
    }
