"""A cable between a server and its database that a test can cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import URL, make_url

CHUNK_BYTES = 65_536
POSTGRES_PORT = 5432


class Cable:
    """Carries bytes both ways for as long as it is whole."""

    def __init__(self, far_end: URL) -> None:
        self._far_end = far_end
        self._port = 0
        self._listening: asyncio.Server | None = None
        self._plugs: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The database's address through this cable."""
        near_end = self._far_end.set(host="127.0.0.1", port=self._port, query={})
        return near_end.render_as_string(hide_password=False)

    async def mend(self) -> None:
        """Whole, from now on."""
        self._listening = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._listening.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Ends what is connected, and lets nobody connect."""
        assert self._listening is not None
        self._listening.close()
        for plug in tuple(self._plugs):
            plug.transport.abort()
        await self._listening.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = self._far_end.host or str(self._far_end.query["host"])
        port = self._far_end.port or POSTGRES_PORT
        if host.startswith("/"):
            far_reader, far_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        self._plugs |= {writer, far_writer}
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            self._plugs -= {writer, far_writer}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def a_cable(url: str) -> AsyncIterator[Cable]:
    """A whole cable to a database."""
    cable = Cable(make_url(url))
    await cable.mend()
    yield cable
    await cable.cut()
