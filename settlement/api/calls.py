"""What every call of SettlementService begins with: the host, the caller, and who acts."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from grpc.aio import ServicerContext

from exchange.callers import Caller
from exchange.db.engine import Database
from exchange.serving.identity import caller_of
from exchange.serving.paging import PageTokens
from settlement.actors import Actor

Context: TypeAlias = ServicerContext[Any, Any]


class Host(Protocol):
    """What the exchange lends its extensions."""

    @property
    def database(self) -> Database:
        """Its connections."""
        ...

    @property
    def tokens(self) -> PageTokens:
        """Seals and opens page tokens."""
        ...

    async def coalition(self, caller: Caller) -> object:
        """Looks once more whether the caller's credential holds."""
        ...


class Calls:
    """A chapter of SettlementService; the service is all of them together."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def _caller(self, context: Context) -> Caller:
        """The caller, whose credential still holds."""
        caller = caller_of(context)
        await self._host.coalition(caller)
        return caller

    async def _actor(self, context: Context) -> Actor:
        """Who acts, for records and for the four eyes."""
        return actor(await self._caller(context))


def actor(caller: Caller) -> Actor:
    """Who did it."""
    return Actor(f"{caller.role.name}:{caller.credential}", caller.person)
