"""Results of items, and a stream of them: answers in the order of the requests, as many under way as a batch holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]  # ships without type information

from exchange.api import wire
from exchange.api.context import Api
from exchange.api.transfers_out import write_transfer
from exchange.callers import Caller
from exchange.directory.model import Directory
from exchange.ledger.decision import Outcome
from exchange.ledger.model import Receipt
from exchange.refusals import Refusal
from exchange.serving.errors import fault_status, status_of
from exchange.serving.telemetry import report_incident
from exchange.v1 import transfer_service_pb2 as pb

OK = status_pb2.Status(code=code_pb2.OK)
UNDER_WAY_MAX = 1000
"""Items of one stream that may wait for their answers; then reading pauses, and HTTP/2 holds the sender back."""


def result_of(outcome: Outcome, directory: Directory, caller: Caller) -> pb.TransferResult:
    """The answer to one item of a batch or stream."""
    result = pb.TransferResult()
    write_result(result, outcome, directory, caller)
    return result


def write_result(result: pb.TransferResult, outcome: Outcome, directory: Directory, caller: Caller) -> None:
    """Fill an empty result with the answer to one item."""
    if isinstance(outcome, Receipt):
        # An OK status is one whose code is 0, but it is there.
        result.status.SetInParent()
        write_transfer(result.transfer, outcome.transfer, directory, caller)
        result.replayed = outcome.replayed
    elif isinstance(outcome, Refusal):
        result.status.CopyFrom(status_of(outcome))
    else:
        result.status.CopyFrom(fault_status(report_incident(outcome)))


async def streamed(
    api: Api, requests: AsyncIterator[pb.StreamTransfersRequest], caller: Caller
) -> AsyncIterator[pb.TransferResult]:
    """Post items as they arrive, and answer each in its turn.

    Reading and answering run side by side. When the caller goes away what was read may still be posted, as with a
    unary call: the request_id tells.
    """
    answers: asyncio.Queue[asyncio.Task[Outcome] | None] = asyncio.Queue(UNDER_WAY_MAX)

    async def read() -> None:
        try:
            async for request in requests:
                await answers.put(asyncio.create_task(_posted(api, request, caller)))
        finally:
            await answers.put(None)

    reading = asyncio.create_task(read())
    try:
        while (answer := await answers.get()) is not None:
            outcome = await answer
            yield result_of(outcome, (await api.source.current()).directory, caller)
        await reading
    finally:
        reading.cancel()
        while not answers.empty():
            if (left := answers.get_nowait()) is not None:
                left.cancel()


async def _posted(api: Api, request: pb.StreamTransfersRequest, caller: Caller) -> Outcome:
    try:
        command = wire.to_item(request.item, caller, "item")
        return await api.poster.post(command)
    except Refusal as refusal:
        return refusal
    except Exception as fault:  # noqa: BLE001 - one item's fault is that item's answer
        return fault
