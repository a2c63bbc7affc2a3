"""A stream of movements: decided and answered in the order of the requests, a batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from exchange.api import wire
from exchange.api.answers import streamed_responses
from exchange.api.context import Api
from exchange.callers import Caller
from exchange.ledger.decision import Outcome
from exchange.ledger.model import Command
from exchange.refusals import InvalidField, Refusal
from exchange.v1 import transfer_service_pb2 as pb

READ_AHEAD_MAX = 1000
"""Items of one stream that may wait while others are under way; then HTTP/2 holds the sender back."""


async def streamed(
    api: Api, requests: AsyncIterator[pb.StreamTransfersRequest], caller: Caller
) -> AsyncIterator[bytes]:
    """Post what has arrived while the items before it were under way, and answer each in its turn.

    One batch at a time: two under way at once could be decided the other way round. Reading goes on meanwhile. When the
    caller goes away what was read may still be posted, as with a unary call: the request_id tells.
    """
    arrived: asyncio.Queue[pb.StreamTransfersRequest | None] = asyncio.Queue(READ_AHEAD_MAX)

    async def read() -> None:
        try:
            async for request in requests:
                await arrived.put(request)
        finally:
            await arrived.put(None)

    reading = asyncio.create_task(read())
    try:
        ended = False
        while not ended:
            request = await arrived.get()
            group = []
            while request is not None:
                group.append(request.item)
                if arrived.empty() or len(group) == wire.ITEMS_MAX:
                    break
                request = arrived.get_nowait()
            ended = request is None
            outcomes = await _decided(api, group, caller)
            coalition = await api.source.current()
            for response in streamed_responses(outcomes, coalition):
                yield response
        await reading
    finally:
        reading.cancel()
        # Room for the reader's last word.
        while not arrived.empty():
            arrived.get_nowait()


async def _decided(api: Api, items: Sequence[pb.TransferItem], caller: Caller) -> list[Outcome]:
    """Outcomes of items that came together, in their order."""
    commands: dict[int, Command] = {}
    outcomes: dict[int, Outcome] = {}
    for place, item in enumerate(items):
        try:
            commands[place] = wire.to_item(item, caller, "item")
        except InvalidField as refusal:
            outcomes[place] = refusal
    if commands:
        try:
            api.gate.charge(caller, len(items), may_wait=True)
            outcomes |= zip(commands, await api.poster.post_all(list(commands.values()), atomic=False), strict=True)
        except Refusal as refusal:
            # Too much is waiting, more than the merchant's quota came, or the server drains: the stream goes on for as
            # long as the server does.
            outcomes |= dict.fromkeys(commands, refusal)
    return [outcomes[place] for place in range(len(items))]
