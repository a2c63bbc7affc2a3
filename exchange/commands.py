"""What the command line shares: the database in use, and how a plain error is told."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import NoReturn

from exchange.config import Settings

DRIVER = "postgresql+asyncpg://"


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """URL of the database in use: the one in the settings, else an embedded one for as long as it is needed.

    Raises:
        StartRefused: what the settings name is no address of a PostgreSQL.
    """
    if settings.database_url is not None:
        yield _address(settings.database_url)
        return
    from exchange.db.embedded import start

    with start(settings.state_dir / "postgres") as embedded:
        yield embedded.url


def _address(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from exchange.db.engine import StartRefused

    written = with_driver(url)
    try:
        known = make_url(written).drivername == DRIVER.removesuffix("://")
    except (ArgumentError, ValueError):
        known = False
    if not known:
        # It may hold a password: what was said is not said again.
        raise StartRefused("EXCHANGE_DATABASE_URL is no address of the form postgresql://user:password@host:5432/name")
    return written


def with_driver(url: str) -> str:
    """The URL with our driver named: people write "postgresql://"."""
    scheme, separator, rest = url.partition("://")
    return DRIVER + rest if separator and scheme in {"postgres", "postgresql"} else url


def fail(error: object, status: int = 2) -> NoReturn:
    """Say what is wrong in plain words and end."""
    sys.stderr.write(f"{error}\n")
    sys.exit(status)
