"""What commands on the real ledger share: the database in use, who is at the keyboard, and plain refusals."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from settlement.actors import Actor
from settlement.cli.files import refused
from settlement.cli.plain import NEXT, NotDone, is_text

if TYPE_CHECKING:
    from exchange.db.engine import Database

T = TypeVar("T")
KEY_VARIABLE = "SETTLEMENT_KEY"


def on_ledger(work: Callable[[Database], Awaitable[T]]) -> T:
    """Run one use case on the database the settings name; refusals end the command in plain words, exit code 2."""
    from exchange.config import SettingsRefused
    from exchange.db.engine import StartRefused, is_database_down
    from exchange.refusals import Refusal

    try:
        return _on_ledger(work)
    except Refusal as refusal:
        raise NotDone(str(refusal), NEXT.get(refusal.reason, "")) from refusal
    except SettingsRefused as refusal:
        raise NotDone(str(refusal), "mend the setting; docs/operations.md lists them all") from refusal
    except StartRefused as refusal:
        raise NotDone(str(refusal), "see that EXCHANGE_DATABASE_URL names a migrated database") from refusal
    except Exception as error:
        # An error about a file is an OSError too, and none of the database's.
        if is_database_down(error) and getattr(error, "filename", None) is None:
            raise NotDone(
                "the database stopped answering", "type the same again: every step is safe to repeat"
            ) from error
        raise


def _on_ledger(work: Callable[[Database], Awaitable[T]]) -> T:
    from exchange import commands
    from exchange.config import load_settings
    from exchange.db.embedded_host import EmbeddedPostgresError
    from exchange.db.engine import Database
    from exchange.db.migrate import histories_of

    settings = load_settings()

    async def run(url: str) -> T:
        database = Database(url)
        try:
            await database.check(histories_of(settings.service_extensions), durable=False)
            return await work(database)
        finally:
            await database.dispose()

    with ExitStack() as stack:
        try:
            url = stack.enter_context(commands.database(settings))
        except (OSError, EmbeddedPostgresError) as wrong:
            raise NotDone(
                f"the embedded database cannot be used: {wrong}",
                "let EXCHANGE_STATE_DIR name a folder of yours, or EXCHANGE_DATABASE_URL a database",
            ) from wrong
        return asyncio.run(run(url))


async def identified(database: Database, role: str, *others: str) -> Actor:
    """Who gives the command: the holder of the key in SETTLEMENT_KEY, else the user the operating system knows.

    Args:
        database: where keys are looked up.
        role: what it takes, "FINANCE_MAKER"; also what a user of this machine is taken for.
        others: what does as well.

    Raises:
        CredentialUnknown: the key is unknown, revoked or expired.
        MethodNotAllowed: it is somebody's of another role.
    """
    secret = os.environ.get(KEY_VARIABLE)
    if not secret:
        # Not the environment's idea of a user, which anybody may change.
        user = pwd.getpwuid(os.getuid()).pw_name.lower()
        return Actor(f"{role}:console/{user}", user)
    if not is_text(secret):
        raise NotDone(f"{KEY_VARIABLE} is no UTF-8 text", NEXT["CREDENTIAL_UNKNOWN"])
    from exchange.refusals import MethodNotAllowed
    from settlement.exchange_directory import key_of

    async with database.look() as connection:
        key = await key_of(connection, secret)
    if key.role.name not in {role, *others}:
        takes = " or ".join([role, *others])
        raise MethodNotAllowed(method=f"this command, which takes a {takes}", caller_role=key.role.name)
    return Actor(f"{key.role.name}:{key.name}", key.holder)


def as_json(values: object) -> str:
    """One line of JSON: days and instants as ISO 8601 has them, ids as text."""
    from json import dumps

    return dumps(values, ensure_ascii=False, default=lambda one: one.isoformat() if isinstance(one, date) else str(one))


def window_number(text: str) -> int | None:
    """The number of a window as people name it: 12, windows/12, or open (None)."""
    name = text.removeprefix("windows/")
    if name == "open":
        return None
    if not name.isascii() or not name.isdigit() or not 1 <= len(name) <= 18 or int(name) == 0:  # noqa: PLR2004 - int64
        refused(f'{text!r} is no window: say its number, or "open"')
    return int(name)
