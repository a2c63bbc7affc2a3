"""The Prometheus port of a server process, as an operator would look at it."""

from __future__ import annotations

import asyncio
import socket
from urllib.request import urlopen

import pytest

from exchange.app import serve
from exchange.commands import with_driver
from exchange.config import SettingsRefused, load_settings
from exchange.db.engine import Database
from exchange.directory.setup import set_up


def a_free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def a_coalition(url: str) -> None:
    """An empty coalition, so that a server will start."""
    database = Database(url, role=None)
    await set_up(database, None, None)
    await database.dispose()


async def test_a_server_answers_prometheus_on_the_port_it_was_given(database_url: str) -> None:
    """The figures of the server's own guard are there, and gone when it stops."""
    await a_coalition(database_url)
    port = a_free_port()
    settings = load_settings(sandbox=True, port=0, metrics_port=port, service_extensions=())
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(settings, with_driver(database_url), stop, lambda _: ready.set()))
    await ready.wait()

    said = await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())

    assert "exchange_calls_in_flight 0.0" in said
    stop.set()
    await serving
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{port}/metrics"))


async def test_a_metrics_port_in_use_is_refused_in_words(database_url: str) -> None:
    """Not a traceback, and the port that is to blame is named."""
    await a_coalition(database_url)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = load_settings(sandbox=True, port=0, metrics_port=port, service_extensions=())

        with pytest.raises(SettingsRefused, match=f"127.0.0.1:{port}"):
            await serve(settings, with_driver(database_url), asyncio.Event(), lambda _: None)
