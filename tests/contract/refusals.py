"""Refusals as a partner's program reads them, each held to what its reason's documentation says.

`error_reason.proto` is the catalogue: the status of a reason is the first word of its comment, its metadata are the
names in braces. Whatever a test provokes is compared with it here, so that catalogue and server cannot part.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # ships without type information
from grpc import aio

DOMAIN = "exchange.coalition.example"
STATUS_BYTES_MAX = 4_096
CATALOGUE = Path(__file__).parents[2] / "protos" / "exchange" / "v1" / "error_reason.proto"

met: set[str] = set()
"""Reasons met since the present test began."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal.

    Attributes:
        code: its status code.
        message: its sentence.
        reason: of its ErrorInfo.
        metadata: of its ErrorInfo.
        fields: paths its BadRequest names; empty without one.
        resource: name in its ResourceInfo; empty without one.
        retry_seconds: of its RetryInfo; None without one.
    """

    code: grpc.StatusCode
    message: str
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...] = ()
    resource: str = ""
    retry_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Documented:
    """What the catalogue says of a reason: its status, what it always tells, and what it tells only sometimes."""

    code: str
    metadata: frozenset[str]
    sometimes: frozenset[str]
    retry: bool


async def refusal(call: Awaitable[Any]) -> Refused:
    """The refusal a call ends with; a call that is answered fails the test."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    return refusal_of(raised.value)


def refusal_of(error: aio.AioRpcError) -> Refused:
    """The refusal behind a failed call."""
    details = [value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"]
    assert len(details) == 1, f"{error.code()} without details: {error.details()}"
    assert isinstance(details[0], bytes)
    refused = refusal_in(status_pb2.Status.FromString(details[0]))
    assert (error.code(), error.details()) == (refused.code, refused.message)
    return refused


def refusal_in(status: status_pb2.Status) -> Refused:
    """The refusal a google.rpc.Status tells, such as one of a batch's results."""
    assert status.ByteSize() < STATUS_BYTES_MAX, "larger statuses become RESOURCE_EXHAUSTED at the client"
    infos, bad, resources, retries = (
        _unpacked(status, kind)
        for kind in (
            error_details_pb2.ErrorInfo,
            error_details_pb2.BadRequest,
            error_details_pb2.ResourceInfo,
            error_details_pb2.RetryInfo,
        )
    )
    assert len(infos) == 1, f"{len(infos)} ErrorInfo in {status}"
    assert len(status.details) == len({detail.type_url for detail in status.details}), "a detail comes once"
    refused = Refused(
        code=next(code for code in grpc.StatusCode if code.value[0] == status.code),
        message=status.message,
        reason=infos[0].reason,
        metadata=dict(infos[0].metadata),
        fields=tuple(violation.field for request in bad for violation in request.field_violations),
        resource="".join(info.resource_name for info in resources),
        retry_seconds=retries[0].retry_delay.ToTimedelta().total_seconds() if retries else None,
    )
    assert infos[0].domain == DOMAIN
    met.add(refused.reason)
    _hold_to_catalogue(refused)
    return refused


def _hold_to_catalogue(refused: Refused) -> None:
    said = catalogue()[refused.reason]
    assert refused.code.name == said.code, f"{refused.reason} is documented as {said.code}"
    assert said.metadata <= refused.metadata.keys(), f"{refused.reason} tells {refused.metadata}, not {said.metadata}"
    untold = refused.metadata.keys() - said.metadata - said.sometimes
    assert not untold, f"{refused.reason} tells {untold}, which no client knows of"
    assert all(refused.metadata.values()), f"empty metadata: {refused.metadata}"
    assert (refused.retry_seconds is not None) == said.retry, f"{refused.reason} and RetryInfo"
    if refused.code is grpc.StatusCode.INVALID_ARGUMENT and said.metadata:
        assert refused.metadata["field"] in refused.fields, "BadRequest names the field"
    if refused.code in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS}:
        assert refused.resource == refused.metadata["resource"], "ResourceInfo names the resource"


def _unpacked(status: status_pb2.Status, kind: type) -> list[Any]:
    found = []
    for detail in status.details:
        message = kind()
        if detail.Unpack(message):
            found.append(message)
    return found


def _names(braces: str) -> frozenset[str]:
    """Names of metadata as they stand between braces, some with an example: `cap, figure: "earn"`."""
    return frozenset(name.partition(":")[0] for name in re.sub(r'"[^"]*"', "", braces).split(", "))


@cache
def catalogue() -> dict[str, Documented]:
    """Every reason by name without its prefix, as `error_reason.proto` documents it."""
    text = CATALOGUE.read_text(encoding="utf-8")
    found = {}
    for comment, name in re.findall(r"  // (.+)\n  ERROR_REASON_(\w+) = [1-9]", text):
        code = comment.split(".")[0]
        named = [_names(group) for group in re.findall(r"\{(.+?)\}", comment)]
        always, sometimes = frozenset().union(*named[:1]), frozenset().union(*named[1:])
        found[name] = Documented(code.removesuffix(" with RetryInfo"), always, sometimes, code.endswith("RetryInfo"))
    return found
