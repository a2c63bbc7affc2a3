"""A plaintext channel to a server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc import aio

# Ships without type information.
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse  # type: ignore[import-untyped]
from grpc_health.v1.health_pb2_grpc import HealthStub  # type: ignore[import-untyped]

_RECEIVE_BYTES_MAX = 64 * 1024 * 1024
_READY_SECONDS_MAX = 30.0
_POLL_SECONDS = 0.02
_CHECK_SECONDS_MAX = 2.0


class NotReady(Exception):
    """The server does not say that it serves."""


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[aio.Channel]:
    """A channel with a connection of its own to "127.0.0.1:PORT", once the server there says that it is serving.

    Raises:
        NotReady: it does not say so in time.
    """
    options = [
        ("grpc.max_receive_message_length", _RECEIVE_BYTES_MAX),
        # Channels to one address would share a connection, and so reach one server process only.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    async with aio.insecure_channel(address, options=options) as channel:
        try:
            async with asyncio.timeout(_READY_SECONDS_MAX):
                await _serving(channel)
        except TimeoutError as error:
            raise NotReady(f"the server at {address} does not become ready") from error
        yield channel


async def _serving(channel: aio.Channel) -> None:
    health = HealthStub(channel)
    while True:
        try:
            answer = await health.Check(HealthCheckRequest(), timeout=_CHECK_SECONDS_MAX)
        except aio.AioRpcError:
            answer = None
        if answer is not None and answer.status == HealthCheckResponse.SERVING:
            return
        await asyncio.sleep(_POLL_SECONDS)
