"""How another package adds a service to the server without the exchange importing it.

A setting names objects "module:attribute" of type `Extension`. Settlement is one: it hangs on the exchange, never the
other way round.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchange.callers import CallerRole
from exchange.config import Settings
from exchange.db.migrate import History


@dataclass(frozen=True, slots=True)
class Extension:
    """A service that is served beside the exchange's own.

    Attributes:
        register: adds its servicers; takes what generated `add_…_to_server` functions take, and the `Api`.
        keep_working: what it does by itself while the server serves, until cancelled; takes the `Api` and the settings.
        history: its tables, if it has any.
        needs: what it still needs of transfers that are to leave the ledger, in words: `retention.service.Needs`.
        permissions: roles by full method name, for methods the exchange's own table does not know.
    """

    register: Callable[[Any, Any], None]
    keep_working: Callable[[Any, Settings], Coroutine[Any, Any, None]] | None = None
    history: History | None = None
    needs: Callable[[Any, Any], Awaitable[list[str]]] | None = None
    permissions: Mapping[str, frozenset[CallerRole]] = field(default_factory=dict)


def load(names: Sequence[str]) -> list[Extension]:
    """The extensions that settings name."""
    found = []
    for name in names:
        module, _, attribute = name.partition(":")
        extension = getattr(importlib.import_module(module), attribute)
        assert isinstance(extension, Extension), f"{name} is no Extension"
        found.append(extension)
    return found
