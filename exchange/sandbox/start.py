"""Starting a sandbox and ending it, whatever happens in between."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from exchange.client.caller import Caller, Stubs
from exchange.client.channel import NotReady, connected
from exchange.sandbox.databases import fresh_database
from exchange.sandbox.processes import SandboxFailed, answer_of, environment, output_of, serving
from exchange.sandbox.zones import zone_of

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running exchange.

    Attributes:
        stubs: its services.
        operator: who may do everything an operator may.
        environ: the environment that makes `python -m exchange` speak of this exchange.
    """

    stubs: Stubs
    operator: Caller
    environ: Mapping[str, str]

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and error output of `python -m exchange ARGUMENTS` on this exchange."""
        return await answer_of(arguments, self.environ)


@asynccontextmanager
async def sandbox(*, operator: str, offset: timedelta, durable: bool) -> AsyncIterator[Sandbox]:
    """A new exchange whose coalition is run by `operator` and lives at `offset` from UTC.

    `durable`: it flushes what it acknowledges, as the real thing does, and is as slow.

    Raises:
        SandboxFailed: it does not start.
    """
    zone = zone_of(offset)
    if zone is None:
        raise SandboxFailed(f"no time zone keeps the offset {offset}")
    async with fresh_database(durable=durable) as url, _folder() as folder:
        environ = environment(database_url=url, host=_HOST, port="0", sandbox="true", log_level="warning")
        await output_of(("migrate", "--operator", operator, "--time-zone", zone), environ)
        issued = await output_of(("keys", "issue", "--role", "operator", "--json"), environ)
        async with serving(environ, folder / "server.log") as port:
            try:
                async with connected(f"{_HOST}:{port}") as channel:
                    yield Sandbox(Stubs(channel), Caller(json.loads(issued)["secret"]), environ)
            except NotReady as error:
                raise SandboxFailed(str(error)) from error


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="exchange-sandbox-") as folder:
        yield Path(folder)
