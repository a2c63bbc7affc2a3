"""Brings a database's schema up to date: one Alembic history for each room that owns tables, all in one transaction.

Run at deployment by the owner of the schemas, not by the serving role.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

ONE_MIGRATOR_LOCK = 0x6D69_6772
ENVIRONMENT = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class History:
    """A schema and the folder of its revisions."""

    schema: str
    versions: Path


EXCHANGE = History("exchange", ENVIRONMENT / "versions")


def histories_of(extensions: Sequence[str]) -> list[History]:
    """The exchange's own history and those of its extensions, "module:attribute" of objects with a `history`."""
    found = [EXCHANGE]
    for name in extensions:
        module, _, attribute = name.partition(":")
        extension = getattr(importlib.import_module(module), attribute)
        if extension.history is not None:
            found.append(extension.history)
    return found


def migrate(url: str, extensions: Sequence[str] = ("settlement.app:extension",)) -> None:
    """Run every outstanding revision of every history. May be called with or without a running event loop."""
    histories = histories_of(extensions)
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_migrate(url, histories))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=run, name="migrate")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


async def _migrate(url: str, histories: list[History]) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            # Two deployments at once take turns; the second finds nothing to do.
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ONE_MIGRATOR_LOCK})
            for history in histories:
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {history.schema}"))
                await connection.run_sync(_upgrade, history)
                # The serving role checks at start-up that nothing is outstanding.
                await connection.execute(text(f"GRANT SELECT ON {history.schema}.alembic_version TO exchange_server"))
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, history: History) -> None:
    config = _config(history)
    config.attributes["connection"] = connection
    config.attributes["schema"] = history.schema
    command.upgrade(config, "head")


def _config(history: History) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(history.versions))
    config.set_main_option("path_separator", "os")
    return config


def outstanding(connection: Connection, history: History) -> list[str]:
    """Revisions of a history that the database has not seen; empty when it is up to date."""
    options = {"version_table_schema": history.schema}
    context = MigrationContext.configure(connection, opts=options)
    present = set(context.get_current_heads())
    return [head for head in _heads(history) if head not in present]


@functools.cache
def _heads(history: History) -> Sequence[str]:
    """Its latest revisions, read once: each is a program to compile, and a running process keeps the one it has."""
    return ScriptDirectory.from_config(_config(history)).get_heads()
