"""A program for tests: `python -m tests.integration.serving.siblings COUNT PORT [FLAW]` serves the probe, COUNT times.

Every process answers Whoami with its process id. FLAW is what the second process does instead of serving: "crash"
raises, "exit" ends with status 0.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from exchange.config import SettingsRefused, load_settings
from exchange.serving.processes import Seat, run, supervise
from exchange.serving.server import GracefulServer
from exchange.v1.transfer_service_pb2 import ConvertPointsRequest
from tests.integration.serving.probe import PERMISSIONS, SERVICE, Keys, Probe, is_database_gone


class Sibling(Probe):
    """Tells which process answered."""

    async def whoami(self, _request: Any, _context: Any) -> Any:
        """The process id instead of the caller."""
        return ConvertPointsRequest(reference=str(os.getpid()))


def serve(seat: Seat, flaw: str) -> int:
    """What each process does."""
    if seat.index == 1 and flaw == "crash":
        raise RuntimeError("this process was told to crash")
    if seat.index == 1 and flaw == "exit":
        return 0

    async def main(stop: asyncio.Event) -> None:
        server = GracefulServer(
            load_settings(drain_seconds=5.0),
            authenticator=Keys(),
            is_database_down=is_database_gone,
            permissions=PERMISSIONS,
            shares_port=True,
        )
        server.registry.add_registered_method_handlers(SERVICE, Sibling().handlers())
        await server.start(seat.port)
        seat.ready()
        await stop.wait()
        await server.drain()

    run(main, seat.lifeline)
    return 0


def announce(port: int) -> None:
    """Tells the test where to call."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    count, wanted, *rest = sys.argv[1:]
    try:
        sys.exit(
            supervise(int(count), "127.0.0.1", int(wanted), lambda seat: serve(seat, "".join(rest)), on_ready=announce)
        )
    except SettingsRefused as refused:
        sys.exit(str(refused))
