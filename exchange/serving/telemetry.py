"""Logs and metrics: JSON lines on stderr for machines, key=value for a person at a terminal."""

from __future__ import annotations

import contextlib
import logging
import secrets
import sys
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_INCIDENT_BYTES = 8


def configure_logging(level: str) -> None:
    """Sends structlog's and the standard library's records, gRPC's among them, to stderr in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)
    # A traceback as text: structlog's own form of it would show local variables, and with them secrets.
    rendering: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, renderer]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(handlers=[handler], level=_LEVELS[level], force=True)


def report_incident(error: BaseException, **where: object) -> str:
    """Logs a fault of ours with its traceback; the incident id answered here is all that the caller is told."""
    incident = secrets.token_hex(_INCIDENT_BYTES)
    # A log that cannot be written must not become the next fault, told to the caller in gRPC's words.
    with contextlib.suppress(Exception):
        structlog.get_logger().error("fault", incident=incident, exc_info=error, **where)
    return incident


def report_database_down(error: BaseException, method: str) -> None:
    """Logs, in one line, that a call found no database."""
    with contextlib.suppress(Exception):
        structlog.get_logger().warning("database down", method=method, error=type(error).__name__)


def serve_metrics(port: int, *collectors: Collector) -> Callable[[], None]:
    """Answers Prometheus on a loopback port from a thread of its own, until what is returned is called.

    Raises:
        OSError: the port is taken.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
