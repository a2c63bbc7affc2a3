"""What the outside sees of a server's work: metrics over HTTP, logs as JSON."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import structlog

from exchange.serving.meter import Meter
from exchange.serving.telemetry import configure_logging, report_incident, serve_metrics
from tests.integration.serving.probe import a_probe


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Puts the loggers back after a test that sets them up."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def a_free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_prometheus_reads_calls_over_http() -> None:
    """Counted by method and code, with the calls under way and figures of the process."""
    port = a_free_port()
    async with a_probe() as (client, server):
        stop = serve_metrics(port, server.guard.meter)
        await client.call("Echo")
        page = await asyncio.to_thread(
            lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        )
        stop()

    assert 'exchange_calls_total{code="OK",method="/probe.v1.Probe/Echo"} 1.0' in page
    assert 'exchange_call_seconds_count{method="/probe.v1.Probe/Echo"} 1.0' in page
    assert "exchange_calls_in_flight 0.0" in page
    assert "process_cpu_seconds_total" in page


def test_a_metrics_port_in_use_is_an_error() -> None:
    """Whoever starts the server is told, rather than left without figures."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(OSError, match="in use"):
            serve_metrics(taken.getsockname()[1], Meter())


@pytest.mark.usefixtures("as_it_was")
def test_records_of_any_library_come_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, whoever wrote it, with time and level; below the level nothing."""
    configure_logging("info")

    structlog.get_logger().info("posted", transfers=3)
    structlog.get_logger().debug("not shown")
    logging.getLogger("grpc").warning("a %s", "warning")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [("info", "posted"), ("warning", "a warning")]
    assert lines[0]["transfers"] == 3
    assert all("timestamp" in line for line in lines)


@pytest.mark.usefixtures("as_it_was")
def test_a_traceback_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """They hold keys and requests."""
    configure_logging("info")
    key = "hunter2"

    try:
        raise RuntimeError(f"{len(key)} characters")
    except RuntimeError as error:
        report_incident(error, method="/probe.v1.Probe/Crash")

    said = capsys.readouterr().err
    assert "7 characters" in said
    assert "hunter2" not in said


@pytest.mark.usefixtures("as_it_was")
def test_an_incident_is_told_even_when_the_log_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken log must not put gRPC's words in the place of ours."""
    configure_logging("info")
    closed = io.StringIO()
    closed.close()

    monkeypatch.setattr("sys.stderr", closed)
    incident = report_incident(RuntimeError("fault"))
    monkeypatch.undo()

    assert len(incident) == 16
