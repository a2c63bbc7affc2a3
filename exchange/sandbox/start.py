"""Starting a sandbox and ending it, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from exchange.client.caller import Caller, Stubs
from exchange.client.channel import NotReady, connected
from exchange.sandbox.databases import fresh_database
from exchange.sandbox.processes import SandboxFailed, answer_of, environment, output_of, serving
from exchange.sandbox.zones import zone_of

_HOST = "127.0.0.1"
_LANES_PER_PROCESS = 3
"""With one each, both connections would often end up at the same process."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running exchange.

    Attributes:
        address: where it listens.
        lanes: its services on connections of their own, at least one for each server process; which process a
            connection reaches is the kernel's choice.
        operator: who may do everything an operator may.
        operator_key: the secret of the operator's key.
        environ: the environment that makes `python -m exchange` speak of this exchange.
    """

    address: str
    lanes: Sequence[Stubs]
    operator: Caller
    operator_key: str
    environ: Mapping[str, str]

    @property
    def stubs(self) -> Stubs:
        """Its services, for whoever needs one connection only."""
        return self.lanes[0]

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and error output of `python -m exchange ARGUMENTS` on this exchange."""
        return await answer_of(arguments, self.environ)


@asynccontextmanager
async def sandbox(
    *, operator: str, offset: timedelta, durable: bool, processes: int = 1, **settings: str
) -> AsyncIterator[Sandbox]:
    """A new exchange whose coalition is run by `operator` and lives at `offset` from UTC.

    Args:
        operator: the operator's id in clearing.
        offset: of the coalition's days.
        durable: whether it flushes what it acknowledges, as the real thing does, and is as slow.
        processes: server processes on its port.
        settings: further ones, and what differs from any free port and a quiet log.

    Raises:
        SandboxFailed: it does not start.
    """
    zone = zone_of(offset)
    if zone is None:
        raise SandboxFailed(f"no time zone keeps the offset {offset}")
    async with fresh_database(durable=durable) as url, _folder() as folder:
        chosen = {"port": "0", "log_level": "warning"} | settings
        environ = environment(database_url=url, host=_HOST, processes=str(processes), sandbox="true", **chosen)
        await output_of(("migrate", "--operator", operator, "--time-zone", zone), environ)
        # The key is made while the server starts: each spends a second on its imports.
        async with (
            _meanwhile(output_of(("keys", "issue", "--role", "operator", "--json"), environ)) as issuing,
            serving(environ, folder / "server.log") as port,
            _lanes(f"{_HOST}:{port}", 1 if processes == 1 else _LANES_PER_PROCESS * processes) as lanes,
        ):
            secret = json.loads(await issuing)["secret"]
            yield Sandbox(f"{_HOST}:{port}", lanes, Caller(secret), secret, environ)


@asynccontextmanager
async def _lanes(address: str, count: int) -> AsyncIterator[Sequence[Stubs]]:
    async with AsyncExitStack() as stack:
        try:
            channels = [await stack.enter_async_context(connected(address)) for _ in range(count)]
        except NotReady as error:
            raise SandboxFailed(str(error)) from error
        yield [Stubs(channel) for channel in channels]


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, str]) -> AsyncIterator[asyncio.Task[str]]:
    """The work goes on beside the block, and ends with it."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="exchange-sandbox-") as folder:
        yield Path(folder)
