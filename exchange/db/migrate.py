"""Brings a database's schema up to date: one Alembic history for each room that owns tables, all in one transaction.

Run at deployment by the owner of the schemas, not by the serving role.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

ONE_MIGRATOR_LOCK = 0x6D69_6772
ENVIRONMENT = Path(__file__).parent / "migrations"
_DECLARED = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)


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
    # Imported to migrate: everybody else only asks what is outstanding, and need not wait for Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(history.versions))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["schema"] = history.schema
    command.upgrade(config, "head")


def outstanding(connection: Connection, history: History) -> list[str]:
    """Revisions of a history that the database has not seen; empty when it is up to date."""
    table = f"{history.schema}.alembic_version"
    present: set[str] = set()
    if connection.execute(text("SELECT to_regclass(:table)"), {"table": table}).scalar_one() is not None:
        present.update(connection.execute(text(f"SELECT version_num FROM {table}")).scalars())
    return [head for head in heads(history) if head not in present]


@functools.cache
def heads(history: History) -> tuple[str, ...]:
    """The latest revisions of a history: those no other one follows. Read once, from what the files declare."""
    declared = [dict(_DECLARED.findall(file.read_text(encoding="utf-8"))) for file in history.versions.glob("*.py")]
    assert all(one.keys() == {"revision", "down_revision"} for one in declared), f"{history}: a file declares neither"
    return tuple(sorted({one["revision"] for one in declared} - {one["down_revision"] for one in declared}))
