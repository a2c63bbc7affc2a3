"""grpc.health.v1 for each service.

The servicer that comes with grpcio-health-checking forgets all watchers of a service when one of them leaves, and keeps
an entry for every name anybody asks for; both matter for a server that outlives its clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # ships without type information

from exchange.refusals import ResourceNotFound

SERVING: int = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: int = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN: int = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Tells whether services are being served; "" stands for the whole server."""

    def __init__(self) -> None:
        self._states: dict[str, int] = {}
        self._changed = asyncio.Event()

    def set_all(self, service_names: Iterable[str], state: int) -> None:
        """Says a state for each service and for the whole server, and tells whoever watches."""
        self._states = dict.fromkeys((*service_names, ""), state)
        self._changed.set()
        self._changed = asyncio.Event()

    async def Check(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: N802  gRPC's name
        """The state now.

        Raises:
            ResourceNotFound: the service is not served here.
        """
        del context
        state = self._states.get(request.service)
        if state is None:
            raise ResourceNotFound(resource=request.service, field="service")
        return health_pb2.HealthCheckResponse(status=state)

    async def Watch(  # noqa: N802  gRPC's name
        self, request: Any, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[Any]:
        """The state now and whenever it changes."""
        del context
        told = None
        while True:
            changed = self._changed
            state = self._states.get(request.service, SERVICE_UNKNOWN)
            if state != told:
                told = state
                yield health_pb2.HealthCheckResponse(status=state)
            await changed.wait()
