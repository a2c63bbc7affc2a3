"""Refusals as a partner's program meets them: an exception for each reason, with its data as attributes.

    try:
        answer = client.transfers.RedeemPoints(request)
    except InsufficientPoints as refused:
        offer(refused.available)
    except Undecided as refused:
        remember(refused.request_id)  # nobody knows: the same request again tells

The classes of the reasons stand in `exchange.client.reasons`; a reason that this version does not know yet is a plain
`Definite` or `Undecided`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import grpc

# Ships without type information.
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

DOMAIN = "exchange.coalition.example"
DETAILS_HEADER = "grpc-status-details-bin"
CODES = {code.value[0]: code for code in grpc.StatusCode}
_WHOLE_NUMBER = re.compile(r"-?\d{1,20}")
DEFINITE = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Said by the exchange, one of these means that nothing happened, nor ever will by this request."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a status says.

    Attributes:
        code: the status code.
        message: a sentence for people; may change.
        reason: of `exchange.v1.ErrorReason` without its prefix; empty when it was not the exchange that spoke.
        metadata: what the refusal is about, as `ErrorReason` documents it.
        fields: what is wrong, by path of the request's field.
        retry_after: seconds to wait before asking again; None: the exchange did not say.
    """

    code: grpc.StatusCode
    message: str
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None


class Refused(Exception):
    """The exchange did not say yes: it said no (`Definite`), or nobody knows (`Undecided`).

    Attributes:
        reason: of `exchange.v1.ErrorReason` without its prefix; the status's name when it was not the exchange that
            spoke.
        message: a sentence for people; may change.
        metadata: what the refusal is about, as `ErrorReason` documents it, as text.
        code: the gRPC status code.
        fields: what is wrong, by path of the request's field.
        retry_after: seconds to wait before asking again; None: the exchange did not say.
        request_id: of the movement that was asked for; empty for anything else.
    """

    FOR: ClassVar[str] = ""
    """The reason a subclass stands for."""

    def __init__(self, told: Told, request_id: str = "") -> None:
        self.reason = told.reason or told.code.name
        super().__init__(f"{self.reason}: {told.message}")
        self.told = told
        self.code, self.message, self.metadata = told.code, told.message, told.metadata
        self.fields, self.retry_after, self.request_id = told.fields, told.retry_after, request_id
        for name, kind in inspect.get_annotations(type(self)).items():
            text = told.metadata.get(name, "")
            if kind != "int":
                setattr(self, name, text)
            elif _WHOLE_NUMBER.fullmatch(text):
                setattr(self, name, int(text))


class Definite(Refused):
    """A no. Nothing happened, nor ever will by this request: its request_id keeps the answer, or is unused."""


class Undecided(Refused):
    """No answer, or none that decides. Send the same request again, with the same request_id, or ask what became of it.

    The client has done so already, as long as its deadline allowed.
    """


def told_by(error: grpc.RpcError | grpc.aio.AioRpcError) -> Told:
    """What a failed call says, of gRPC's asyncio or of its threads."""
    call: Any = error
    for key, value in call.trailing_metadata() or ():
        if key == DETAILS_HEADER and isinstance(value, bytes):
            return told_in(Status.FromString(value))
    return Told(call.code(), call.details() or "")


def told_in(status: Status) -> Told:
    """What a status with details says, such as one of a batch's results."""
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    retry_after = None
    for detail in status.details:
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        elif not detail.Unpack(info):
            detail.Unpack(bad)
    return Told(
        CODES.get(status.code, grpc.StatusCode.UNKNOWN),
        status.message,
        info.reason if info.domain == DOMAIN else "",
        dict(info.metadata),
        {violation.field: violation.description for violation in bad.field_violations},
        retry_after,
    )


def refused(told: Told, request_id: str = "") -> Refused:
    """The exception for what was told; its class is that of the reason."""
    # The classes are made from this module's.
    from exchange.client.reasons import BY_REASON

    known = BY_REASON.get(told.reason)
    if known is not None:
        return known(told, request_id)
    # A status without a reason was not given by the exchange: somebody on the way spoke, and knows nothing.
    return (Definite if told.reason and told.code in DEFINITE else Undecided)(told, request_id)
