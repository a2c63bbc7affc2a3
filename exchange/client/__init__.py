"""Clients of the exchange's wire: for partners' programs, and for our own that stand outside the server.

`AsyncClient` and `Client` are for partners; docs/clients.md shows them. The rest serves the scenario player, the demo
and the sandbox.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Our children only ever run another program, so gRPC need not get ready for a fork; it would warn of each one. It reads
# this when it is first imported, which happens in this package's modules.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

if TYPE_CHECKING:
    from exchange.client.asynchronous import AsyncClient
    from exchange.client.blocking import Client
    from exchange.client.errors import Definite, Refused, Undecided

__all__ = ["AsyncClient", "Client", "Definite", "Refused", "Undecided"]

_HOMES = {
    "AsyncClient": "asynchronous",
    "Client": "blocking",
    "Definite": "errors",
    "Refused": "errors",
    "Undecided": "errors",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for only then: a command that prints a table should not pay for a client."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
