"""`python -m exchange retire`, `drop-retired`, `verify-archive`, `ledger-parts`."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import pwd
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from exchange.callers import Caller
    from exchange.config import Settings
    from exchange.db.engine import Database
    from exchange.retention.model import Retirement
    from exchange.retention.service import Candidate, Retirements

KEY_VARIABLE = "OPERATOR_KEY"
FILES_FAIL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
"""Errors of files that need not say of which."""
Result = TypeVar("Result")


def ledger_parts() -> None:
    """Make partitions for transfers that are yet to come, as far ahead as EXCHANGE_LEDGER_PARTS_AHEAD says.

    A serving exchange does it by itself, at its start and once an hour. Safe to run twice, and beside it.
    """

    async def work(_: Retirements, database: Database, settings: Settings) -> None:
        from exchange.retention.parts import LedgerParts

        parts = LedgerParts(database, settings.ledger_part_months, settings.ledger_parts_ahead)
        typer.echo(f"{await parts.run()} partitions made; they reach {parts.days_ahead:.0f} days ahead")

    _run(work)


def retire(
    before: Annotated[datetime, typer.Option(help="Partitions that end by this moment (UTC), oldest first.")],
    archive: Annotated[
        Path | None, typer.Option(help="Folder for the archives, kept for as long as anybody may doubt.")
    ] = None,
    *,
    really: Annotated[bool, typer.Option(help="Do it; else only what would leave is shown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what would leave as JSON.")] = False,
) -> None:
    """Let partitions of old transfers leave the ledger for an archive, one after the other, beside serving exchanges.

    Shows first what would leave, and what keeps it. With --really: audits, adds everything up into a checkpoint, writes
    the archive, reads it back, and detaches the partition. Interrupted, it goes on where it was when it is run again.
    The table itself stays until somebody else runs drop-retired. Who does it is the holder of the key in OPERATOR_KEY,
    else the user the operating system knows.

    Exits 1 when something keeps the oldest of them in the ledger.
    """
    if really and archive is None:
        from exchange import commands

        commands.fail("--really needs --archive, the folder the transfers go to")
    if archive is not None and not archive.is_dir():
        from exchange import commands

        commands.fail(f"--archive {archive}: there is no such folder")

    async def work(retirements: Retirements, database: Database, _: Settings) -> int:
        from exchange.retention.service import as_document

        who = await _operator(database)
        if really and archive is not None and (unfinished := await retirements.unfinished()) is not None:
            typer.echo(f"going on with {unfinished.part_name}")
            _show(await retirements.go_on(unfinished, archive, _tell))
        candidates = await retirements.candidates(before.replace(tzinfo=UTC))
        if as_json:
            typer.echo(as_document(candidates))
        else:
            _list(candidates)
        if really and archive is not None:
            while candidates and not candidates[0].hindrances:
                _show(await retirements.retire(candidates[0], who, archive, _tell))
                # The next is looked at anew: it is the oldest only now.
                candidates = await retirements.candidates(before.replace(tzinfo=UTC))
        return 1 if candidates and candidates[0].hindrances else 0

    raise typer.Exit(_run(work))


def drop_retired(part: Annotated[str, typer.Argument(help="The partition's name, as `retire` showed it.")]) -> None:
    """Drop the table of a partition that has left, once its archive was read back again.

    Somebody else does it than who retired it: the holder of the key in OPERATOR_KEY, else the user the operating system
    knows.
    """

    async def work(retirements: Retirements, database: Database, _: Settings) -> None:
        _show(await retirements.drop(part, await _operator(database), _tell))

    _run(work)


def verify_archive(
    part: Annotated[str, typer.Argument(help="The partition's name.")],
    archive: Annotated[
        Path | None, typer.Option(help="Where its archive is now. [default: where it was written]")
    ] = None,
) -> None:
    """Read an archive and hold every line and sum of it against the checkpoint in the database.

    Exits 1 and names the file when it is not what left the ledger.
    """

    async def work(retirements: Retirements, database: Database, _: Settings) -> None:
        from exchange.retention.service import RetirementRefused
        from exchange.retention.verifying import verify

        retirement = next((one for one in await retirements.all() if one.part_name == part), None)
        if retirement is None or retirement.archive is None:
            raise RetirementRefused(f"{part} has no archive")
        folder = archive or Path(retirement.archive)
        count = await verify(database, retirement, folder, retirement.archive_digest)
        typer.echo(f"{folder}: {count} transfers, as they left")

    _run(work)


def _run(work: Callable[[Retirements, Database, Settings], Awaitable[Result]]) -> Result:
    """Do something as the owner of the tables; an expected no is told in plain words."""
    from exchange import commands
    from exchange.config import SettingsRefused, load_settings
    from exchange.db.engine import Database, StartRefused
    from exchange.db.migrate import histories_of
    from exchange.extensions import load
    from exchange.refusals import Refusal
    from exchange.retention.archive import ArchiveDiffers
    from exchange.retention.service import RetirementRefused, Retirements

    async def run(url: str, settings: Settings) -> Result:
        database = Database(url, role=None)
        try:
            await database.check(histories_of(settings.service_extensions), durable=False)
            needs = [one.needs for one in load(settings.service_extensions) if one.needs is not None]
            keep = timedelta(days=settings.ledger_keep_days)
            return await work(Retirements(database, url, keep, needs), database, settings)
        finally:
            await database.dispose()

    try:
        settings = load_settings()
        with commands.database(settings) as url:
            return asyncio.run(run(url, settings))
    except (ArchiveDiffers, RetirementRefused) as refused:
        commands.fail(refused, 1)
    except (SettingsRefused, StartRefused, Refusal) as refused:
        commands.fail(refused)
    except OSError as wrong:
        # One about a file: a full disk, say. What was begun is gone on with when it is typed again.
        if wrong.filename is None and wrong.errno not in FILES_FAIL:
            raise
        commands.fail(f"the archive cannot be read or written: {wrong}", 1)


async def _operator(database: Database) -> Caller:
    """Who gives the command.

    Raises:
        CredentialUnknown: the key is unknown, revoked or expired.
        MethodNotAllowed: it is no operator's.
    """
    from exchange.callers import Caller, CallerRole
    from exchange.refusals import CredentialUnknown, MethodNotAllowed
    from exchange.retention import sql

    secret = os.environ.get(KEY_VARIABLE)
    if not secret:
        # Not the environment's idea of a user, which anybody may change.
        user = pwd.getpwuid(os.getuid()).pw_name.lower()
        return Caller(CallerRole.OPERATOR, f"console/{user}", person=user)
    hashed = hashlib.sha256(secret.encode()).digest()
    async with database.look() as connection:
        row = (await connection.execute(sql.KEY, {"secret_hash": hashed})).first()
    if row is None:
        raise CredentialUnknown
    role = CallerRole(row.caller_role)
    if role is not CallerRole.OPERATOR:
        raise MethodNotAllowed(method="this command, which takes an OPERATOR", caller_role=role.name)
    return Caller(role, f"apiKeys/{row.key_id}", person=row.holder)


def _tell(step: str) -> None:
    typer.echo(f"  {step} …", err=True)


def _show(retirement: Retirement) -> None:
    digest = "" if retirement.digest is None else retirement.digest.hex()
    typer.echo(
        f"{retirement.part_name}: {retirement.step.name.lower()}, {retirement.transfers} transfers in"
        f" {retirement.archive}\n  checkpoint {digest}: keep this figure elsewhere too"
    )


def _list(candidates: list[Candidate]) -> None:
    if not candidates:
        typer.echo("no partition ends by then")
    for part, content, hindrances in candidates:
        state = "may leave" if not hindrances else "stays:"
        typer.echo(f"{part.name} (until {part.ends_at:%Y-%m-%d}, {content.transfers} transfers) {state}")
        for hindrance in hindrances:
            typer.echo(f"  - {hindrance}")
