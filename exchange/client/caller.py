"""Calling the exchange with one credential: deadlines, retries and refusals as a partner's program would have them."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import grpc

# Ships without type information.
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc import aio

from exchange.client.errors import Refused, refused, told_by, told_in
from exchange.v1.directory_service_pb2_grpc import DirectoryServiceStub
from exchange.v1.event_service_pb2_grpc import EventServiceStub
from exchange.v1.external_ledger_service_pb2_grpc import ExternalLedgerServiceStub
from exchange.v1.limit_service_pb2_grpc import LimitServiceStub
from exchange.v1.member_service_pb2_grpc import MemberServiceStub
from exchange.v1.rate_service_pb2_grpc import RateServiceStub
from exchange.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from exchange.v1.transfer_service_pb2_grpc import TransferServiceStub

__all__ = ["Caller", "Refused", "Stubs", "refusal_in", "refusal_of"]

Question = TypeVar("Question")
Answer = TypeVar("Answer")

CALL_SECONDS_MAX = 30.0
ATTEMPTS_MAX = 8
_FIRST_PAUSE_SECONDS = 0.02
_UNDECIDED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED})
"""Nothing is known to have happened, and the same request with the same request_id may be sent again."""


class Stubs:
    """The exchange's services on one channel; any number of callers share them."""

    def __init__(self, channel: aio.Channel) -> None:
        self.channel = channel
        self.directory = DirectoryServiceStub(channel)
        self.members = MemberServiceStub(channel)
        self.rates = RateServiceStub(channel)
        self.transfers = TransferServiceStub(channel)
        self.events = EventServiceStub(channel)
        self.limits = LimitServiceStub(channel)
        self.external = ExternalLedgerServiceStub(channel)
        self.sandbox = SandboxServiceStub(channel)


class Caller:
    """One credential. `secret` is what IssueApiKey gave."""

    def __init__(self, secret: str) -> None:
        self._metadata = (("authorization", f"Bearer {secret}"),)

    async def ask(self, method: aio.UnaryUnaryMultiCallable[Question, Answer], question: Question) -> Answer:
        """The answer. What the server leaves undecided is asked again, a few times and ever more slowly.

        Raises:
            Refused: the server said no.
        """
        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await method(question, metadata=self._metadata, timeout=CALL_SECONDS_MAX)
            except aio.AioRpcError as error:
                if error.code() not in _UNDECIDED or attempt == ATTEMPTS_MAX:
                    raise refusal_of(error) from error
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("the last attempt answers or raises")


def refusal_of(error: aio.AioRpcError) -> Refused:
    """The refusal behind a failed call."""
    return refused(told_by(error))


def refusal_in(status: Status) -> Refused:
    """The refusal a status with details tells, such as one of a batch's results."""
    return refused(told_in(status))
