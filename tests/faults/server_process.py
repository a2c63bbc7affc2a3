"""A server of the exchange as a process of its own, which a test may kill."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from exchange.sandbox.processes import environment

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that serves.

    Attributes:
        process: as started.
        port: where it listens on 127.0.0.1.
    """

    process: Process
    port: int

    @property
    def address(self) -> str:
        """As a channel takes it."""
        return f"127.0.0.1:{self.port}"

    async def kill(self) -> None:
        """End it without a chance to clean up, as the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def a_server_process(url: str, port: int = 0, **settings: str) -> AsyncIterator[ServerProcess]:
    """`python -m exchange serve` on a database, with full durability; gone when the block ends, killed or not.

    Without a port it takes any that is free. The operator publishes rates alone unless `settings` say otherwise.
    """
    own = {"host": "127.0.0.1", "port": str(port), "log_level": "error", "publish_alone": "always"}
    environ = environment(database_url=url, **{**own, **settings})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange", "serve", env=environ, stdin=DEVNULL, stdout=PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await process.stdout.readline()
        assert line, "the server did not come up"
        yield ServerProcess(process, json.loads(line)["port"])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
