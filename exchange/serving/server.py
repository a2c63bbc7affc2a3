"""A gRPC server's life: listen, tell its health, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import cast

import grpc
from grpc_health.v1 import health_pb2_grpc  # type: ignore[import-untyped]  # ships without type information
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc  # type: ignore[import-untyped]

from exchange.config import Settings, SettingsRefused
from exchange.serving.collector import TIDY_SECONDS, Collector
from exchange.serving.guard import Guard, Limits
from exchange.serving.health import NOT_SERVING, SERVING, Health
from exchange.serving.identity import Authenticator
from exchange.serving.parsing import MESSAGE_BYTES_MAX
from exchange.serving.permissions import PERMISSIONS, Roles
from exchange.serving.quotas import Gate

STREAMS_PER_CONNECTION_MAX = 100
"""Calls one connection carries at once; a client that wants more opens another, and reaches other processes with it."""

_OPTIONS: tuple[tuple[str, int], ...] = (
    # A peer that connects and says nothing, or nothing any more, holds a socket for ever without these.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 300_000),
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Connections are renewed, so that clients spread over processes that were started later.
    ("grpc.max_connection_age_ms", 1_800_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION_MAX),
    # Resets streams at random as a connection nears its limit, which its client, honest or not, sees as UNAVAILABLE;
    # the guard's admission refuses in words instead.
    ("grpc.http.overload_protection", 0),
    # Likewise of calls that wait for Python to take them: from a thousand on gRPC would end some as CANCELLED, which no
    # client repeats. A process that is far behind takes them all the same, and refuses what is above its admission.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 40_000),
    # The guard refuses what is above its own limit in words; gRPC cuts off, without any, what is far above.
    ("grpc.max_receive_message_length", 2 * MESSAGE_BYTES_MAX),
    # Pings more often than this are an attack or a mistake; clients may ping without calls to keep a path open.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.keepalive_permit_without_calls", 1),
)
# Whoever watches our health hears that we leave before the stream it hears it by is ended.
_WATCHERS_HEAR_SECONDS = 0.05
# How long an ended stream's client gets to read so far that it hears of the end.
_FAREWELL_SECONDS = 2.0


class GracefulServer:
    """A server whose every method stands behind the guard.

    Register services with `add_…_to_server(servicer, server.registry)`, then `start`; when told to stop, `drain`.

    Args:
        settings: where to listen, TLS, limits.
        authenticator: knows callers by their credentials.
        is_database_down: whether an exception says that the database does not answer.
        permissions: roles by full method name.
        shares_port: whether sibling processes listen on the same port. When they do not, a port in use is refused;
            gRPC's own default would let two servers answer on one port, each with a part of the calls.
        gate: quotas of single merchants.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        authenticator: Authenticator,
        is_database_down: Callable[[BaseException], bool],
        permissions: Mapping[str, Roles] = PERMISSIONS,
        shares_port: bool = False,
        gate: Gate | None = None,
    ) -> None:
        self.guard = Guard(
            authenticator=authenticator,
            is_database_down=is_database_down,
            limits=Limits.of(settings),
            permissions=permissions,
            gate=gate,
        )
        self._settings = settings
        self._health = Health()
        self._names: list[str] = []
        self._server = grpc.aio.server(options=(*_OPTIONS, ("grpc.so_reuseport", int(shares_port))))
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def registry(self) -> grpc.aio.Server:
        """What generated `add_…_to_server` functions take for a server."""
        return cast("grpc.aio.Server", self.guard)

    async def start(self, port: int | None = None) -> int:
        """Listens and serves; answers the port, which is the one asked for unless that was 0.

        Args:
            port: TCP port; None: the one in the settings.

        Raises:
            SettingsRefused: the address cannot be listened on, or a certificate cannot be used.
        """
        names = self._names = sorted(self.guard.service_names)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.guard)
        if self._settings.reflection:
            servicer = reflection.aio.ReflectionServicer((*names, "grpc.health.v1.Health", reflection.SERVICE_NAME))
            reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, self.guard)
        self._server.add_generic_rpc_handlers((self.guard,))
        self.guard.loop = asyncio.get_running_loop()
        bound = self._listen(self._settings.port if port is None else port)
        await self._server.start()
        self._health.set_all(names, SERVING)
        self._sweeping = asyncio.create_task(self._sweep())
        return bound

    def refuse_new(self) -> None:
        """From now on health says NOT_SERVING and calls are refused; those under way go on."""
        self._health.set_all(self._names, NOT_SERVING)
        self.guard.draining = True

    async def drain(self) -> None:
        """Refuses new calls, ends streams, lets unary calls finish for as long as `drain_seconds`, then stops."""
        self.refuse_new()
        # From here on no connection is taken, and clients are told to leave those they have.
        stopping = asyncio.create_task(self._server.stop(self._settings.drain_seconds))
        await asyncio.sleep(_WATCHERS_HEAR_SECONDS)
        self.guard.end_streams()
        await self._leave_the_deaf(stopping)
        await stopping
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping

    async def _leave_the_deaf(self, stopping: asyncio.Task[None]) -> None:
        """Cuts off streams whose clients do not read, and so cannot hear that they ended, once nobody else is left."""
        give_up = monotonic() + _FAREWELL_SECONDS
        while not stopping.done() and monotonic() < give_up:
            await asyncio.sleep(_WATCHERS_HEAR_SECONDS)
            if self.guard.calls_in_flight:
                give_up = monotonic() + _FAREWELL_SECONDS
        if not stopping.done():
            await self._server.stop(None)

    async def _sweep(self) -> None:
        pause = min(TIDY_SECONDS, self._settings.deadline_seconds_max / 4)
        collector = Collector()
        while True:
            await asyncio.sleep(pause)
            self.guard.end_overdue()
            collector.tidy(self.guard.meter.ended)

    def _listen(self, port: int) -> int:
        host = self._settings.host
        address = f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if not self._settings.is_encrypted:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, _credentials(self._settings))
        except RuntimeError:
            raise SettingsRefused(
                f"cannot listen on {address}: the port is in use, or the address is none of this machine"
                + (", or certificate and key do not belong together" if self._settings.is_encrypted else "")
            ) from None


def _credentials(settings: Settings) -> grpc.ServerCredentials:
    """The certificate to show, and with `tls_client_ca` whose certificates clients must show."""
    client_ca = None if settings.tls_client_ca is None else _pem(settings.tls_client_ca, "tls_client_ca")
    key, certificate = _pem(settings.tls_key, "tls_key"), _pem(settings.tls_certificate, "tls_certificate")
    return grpc.ssl_server_credentials([(key, certificate)], client_ca, require_client_auth=client_ca is not None)


def _pem(path: Path | None, name: str) -> bytes:
    assert path is not None, "settings give certificate and key together"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsRefused(f"{name}: cannot read {path}: {error.strerror}") from None
    if b"-----BEGIN " not in content:
        raise SettingsRefused(f"{name}: {path} is no PEM file")
    return content
