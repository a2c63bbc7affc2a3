"""Everything that runs during the measurements, started together and ended together."""

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench import databases, world
from bench.baselines import direct_sql
from bench.processes import Server, environment, exchange_command, exchange_server, module_server

EXTENSIONS = "settlement.app:extension,bench.noop.service:extension,bench.baselines.direct_sql:extension"


@dataclass(frozen=True, slots=True)
class Rig:
    """The servers of a run, all on this machine and one PostgreSQL.

    Attributes:
        exchange: one process of the real server, which also serves the no-op.
        parties: the merchants the load generator plays there.
        orm: the ORM-session-per-request service.
        bare: a gRPC server with nothing but the no-op.
        canned: what the generator's own ceiling is measured against.
        databases: the PostgreSQL.
        another: starts a further server on the same database, with settings of its own, and ends it with its block.
    """

    exchange: Server
    parties: list[world.Party]
    orm: Server
    bare: Server
    canned: Server
    databases: databases.Databases
    another: Callable[..., AbstractContextManager[Server]]


@contextlib.contextmanager
def rigged() -> Iterator[Rig]:
    """Start everything and make the coalition; end everything when the block ends.

    Raises:
        BenchFailed: something does not start.
    """
    with contextlib.ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="exchange-bench-logs-")))
        postgres = stack.enter_context(databases.durable_postgres())
        exchange, parties = stack.enter_context(
            coalition(postgres.exchange, logs / "exchange.log", direct_url=postgres.wide)
        )
        orm = stack.enter_context(module_server("bench.baselines.orm_service", postgres.orm, log=logs / "orm.log"))
        bare = stack.enter_context(module_server("bench.noop", log=logs / "bare.log"))
        canned = stack.enter_context(module_server("bench.load.canned", log=logs / "canned.log"))

        def another(**settings: object) -> AbstractContextManager[Server]:
            told = {f"EXCHANGE_{name.upper()}": str(value) for name, value in settings.items()}
            return exchange_server(environ_of(postgres.exchange) | told, log=logs / "another.log")

        yield Rig(exchange, parties, orm, bare, canned, postgres, another)


@contextlib.contextmanager
def coalition(database_url: str, log: Path, *, direct_url: str = "") -> Iterator[tuple[Server, list[world.Party]]]:
    """A server on an empty database, and the merchants of the coalition that is made there.

    With `direct_url` direct SQL is served too, on the hand-written tables there.

    Raises:
        BenchFailed: it does not start.
    """
    environ = environ_of(database_url) | {direct_sql.ADDRESS: direct_url}
    exchange_command("migrate", "--operator", world.OPERATOR, "--time-zone", world.TIME_ZONE, environ=environ)
    issued = exchange_command("keys", "issue", "--role", "operator", "--json", environ=environ)
    with exchange_server(environ, log=log) as server:
        yield server, asyncio.run(world.build(server.port, json.loads(issued)["secret"]))


def environ_of(database_url: str) -> dict[str, str]:
    """What a server, or a command beside it, is told."""
    # A server on a machine of its own would be told so; where processors are not to be chosen, none is.
    pinned = {"pin_processes": "true"} if hasattr(os, "sched_setaffinity") else {}
    return environment(
        **pinned,
        database_url=database_url,
        host="127.0.0.1",
        port="0",
        log_level="warning",
        publish_alone="always",
        service_extensions=EXTENSIONS,
    )
