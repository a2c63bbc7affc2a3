"""Refusals as google.rpc.Status: one table from category to status code, one ErrorInfo in each answer.

A client library reads at most 8 KiB of headers, and answers RESOURCE_EXHAUSTED when there are more: so a status, with
message and details, stays below `STATUS_BYTES_MAX`, whatever text a request brought along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message

# Ships without type information.
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from exchange.refusals import Category, InvalidField, Refusal

DOMAIN = "exchange.coalition.example"

STATUS_CODES: dict[Category, grpc.StatusCode] = {
    Category.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Category.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Category.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Category.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Category.EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Category.FAILED: grpc.StatusCode.FAILED_PRECONDITION,
    Category.ABORTED: grpc.StatusCode.ABORTED,
    Category.LIMIT: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Category.DEADLINE: grpc.StatusCode.DEADLINE_EXCEEDED,
    Category.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Category.GONE: grpc.StatusCode.OUT_OF_RANGE,
    Category.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
}
"""Which status a category of refusal answers with."""

RETRY_AFTER_MS: dict[Category, int] = {Category.LIMIT: 100, Category.UNAVAILABLE: 1_000}
"""How long a client waits, in milliseconds, before it repeats a request refused for one of these categories."""

_PUSHBACK_MS = {STATUS_CODES[category].value[0]: str(ms) for category, ms in RETRY_AFTER_MS.items()}
"""The same for gRPC libraries that repeat by themselves: they read this header, and no details."""

CODE_OF_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
"""gRPC's status codes by the number a google.rpc.Status carries."""

STATUS_BYTES_MAX = 4_095
"""Bytes of one status on the wire, message and details together."""

_MESSAGE_BYTES_MAX = 512
_VALUE_BYTES_MAX = 256
_METADATA_PAIRS_MAX = 10
_VIOLATION_BYTES_MAX = 160
_DETAILS_HEADER = "grpc-status-details-bin"
_PUSHBACK_HEADER = "grpc-retry-pushback-ms"
_TYPE_URL = "type.googleapis.com/"


def status_of(refusal: Refusal) -> status_pb2.Status:
    """What a refusal says on the wire; stands in trailing metadata, or as the result of one item of a batch.

    Holds exactly one ErrorInfo{reason, domain, metadata}; BadRequest when a field is to blame; RetryInfo when waiting
    helps; QuotaFailure when a merchant's own quota is used up; ResourceInfo when a resource is missing or taken.
    """
    status = _status(STATUS_CODES[refusal.category], str(refusal), refusal.reason, refusal.data)
    retry_after_ms = refusal.retry_after_ms or RETRY_AFTER_MS.get(refusal.category)
    if retry_after_ms is not None:
        delay = duration_pb2.Duration(seconds=retry_after_ms // 1_000, nanos=retry_after_ms % 1_000 * 1_000_000)
        status.details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    if refusal.category is Category.LIMIT and "merchant" in refusal.data:
        used_up = error_details_pb2.QuotaFailure()
        used_up.violations.add(subject=_cut(refusal.data["merchant"], _VALUE_BYTES_MAX), description=refusal.sentence)
        status.details.append(_packed(used_up))
    if refusal.category in {Category.NOT_FOUND, Category.EXISTS} and "resource" in refusal.data:
        name = _cut(refusal.data["resource"], _VALUE_BYTES_MAX)
        collection = name.partition("/")[0]
        status.details.append(
            _packed(error_details_pb2.ResourceInfo(resource_type=f"{DOMAIN}/{collection}", resource_name=name))
        )
    if refusal.category is Category.INVALID:
        _add_bad_request(status, refusal)
    return status


def fault_status(incident: str) -> status_pb2.Status:
    """INTERNAL with the incident id under which our logs tell what happened; says nothing else."""
    sentence = f"A fault of ours; name incident {incident} when asking for help."
    return _status(grpc.StatusCode.INTERNAL, sentence, "INTERNAL_FAULT", {"incident": incident})


async def abort_with(context: grpc.aio.ServicerContext[Any, Any], refusal: Refusal) -> NoReturn:
    """Ends the call with the refusal's status. Raises grpc's AbortError, which must reach gRPC."""
    await abort_with_status(context, status_of(refusal))


async def abort_with_status(context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status) -> NoReturn:
    """Ends the call with a status. Raises grpc's AbortError, which must reach gRPC."""
    trailer: tuple[tuple[str, str | bytes], ...] = ((_DETAILS_HEADER, status.SerializeToString()),)
    if status.code in _PUSHBACK_MS:
        trailer += ((_PUSHBACK_HEADER, _told_delay_ms(status) or _PUSHBACK_MS[status.code]),)
    await context.abort(
        CODE_OF_NUMBER[status.code], _cut(status.message, _MESSAGE_BYTES_MAX), trailing_metadata=trailer
    )


def _told_delay_ms(status: status_pb2.Status) -> str | None:
    for detail in status.details:
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(retry):
            return str(retry.retry_delay.ToMilliseconds())
    return None


def _status(code: grpc.StatusCode, message: str, reason: str, metadata: Mapping[str, str]) -> status_pb2.Status:
    pairs = list(metadata.items())[:_METADATA_PAIRS_MAX]
    info = error_details_pb2.ErrorInfo(
        reason=reason, domain=DOMAIN, metadata={name: _cut(value, _VALUE_BYTES_MAX) for name, value in pairs}
    )
    number: int = code.value[0]
    return status_pb2.Status(code=number, message=_cut(message, _MESSAGE_BYTES_MAX), details=[_packed(info)])


def _add_bad_request(status: status_pb2.Status, refusal: Refusal) -> None:
    """Names the fields to blame, as many as there is room for."""
    if isinstance(refusal, InvalidField):
        violations = refusal.violations
    elif "field" in refusal.data:
        violations = {refusal.data["field"]: refusal.sentence}
    else:
        return
    request = error_details_pb2.BadRequest()
    room = STATUS_BYTES_MAX - status.ByteSize() - 80
    for path, what in violations.items():
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_cut(path, _VIOLATION_BYTES_MAX), description=_cut(what, _VIOLATION_BYTES_MAX)
        )
        room -= violation.ByteSize() + 4
        if room < 0:
            break
        request.field_violations.append(violation)
    status.details.append(_packed(request))


def _packed(detail: Message) -> any_pb2.Any:
    return any_pb2.Any(type_url=_TYPE_URL + detail.DESCRIPTOR.full_name, value=detail.SerializeToString())


def _cut(text: str, bytes_max: int) -> str:
    """The text when its UTF-8 form fits, else its beginning with an ellipsis; never half a character."""
    if len(text) * 3 <= bytes_max and text.isascii():
        return text
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= bytes_max:
        return encoded.decode()
    return encoded[: bytes_max - 3].decode("utf-8", "ignore") + "…"
