"""`python -m exchange`: serve, migrate, keys, audit, expire, statements, notices, and more: see `--help`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from exchange import commands
from exchange.config import Settings, SettingsRefused, load_settings
from exchange.demo.command import demo
from exchange.events.command import compact_events
from exchange.notices.command import notices
from exchange.retention.command import drop_retired, ledger_parts, retire, verify_archive
from exchange.scenario.command import scenario
from exchange.simulation.command import simulate
from exchange.statements.command import statements
from exchange.testing.command import sandbox as run_sandbox

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The coalition points exchange."
)
keys = typer.Typer(no_args_is_help=True, help="API keys of callers.")
app.add_typer(keys, name="keys")
app.command("scenario")(scenario)
app.command("demo")(demo)
app.command("statements")(statements)
app.command("notices")(notices)
app.command("compact-events")(compact_events)
app.command("sandbox")(run_sandbox)
app.command("simulate")(simulate)
app.command("ledger-parts")(ledger_parts)
app.command("retire")(retire)
app.command("drop-retired")(drop_retired)
app.command("verify-archive")(verify_archive)


def _settings(**overrides: object) -> Settings:
    try:
        return load_settings(**overrides)
    except SettingsRefused as refused:
        commands.fail(refused)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; not loopback: needs TLS.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0: any free one.")] = None,
    processes: Annotated[int | None, typer.Option(help="Server processes on the one port.")] = None,
    sandbox: Annotated[bool | None, typer.Option(help="Offer a movable clock.")] = None,
    reflection: Annotated[bool | None, typer.Option(help="Let clients ask which services there are.")] = None,
) -> None:
    """Serve the exchange until told to stop; then finish what was taken.

    Every setting can be given as EXCHANGE_NAME in the environment, or in the file EXCHANGE_SETTINGS_FILE names; see
    docs/operations.md. Prints one JSON line with the port once it serves.
    """
    settings = _settings(host=host, port=port, processes=processes, sandbox=sandbox, reflection=reflection)
    from exchange.db.engine import StartRefused
    from exchange.directory.setup import SetUpRefused

    try:
        with commands.database(settings) as url:
            if settings.database_url is None:
                _migrate(settings, url, operator=None, time_zone=None)
            sys.exit(_serve(settings, url))
    except (SettingsRefused, StartRefused, SetUpRefused) as refused:
        commands.fail(refused)


def _serve(settings: Settings, url: str) -> int:
    from exchange.compiling import is_compiled
    from exchange.serving.processes import Seat, run, supervise

    def ready(bound: int) -> None:
        line = {"event": "serving", "host": settings.host, "port": bound, "processes": settings.processes}
        sys.stdout.write(json.dumps(line | {"pid": os.getpid(), "compiled": is_compiled()}) + "\n")
        sys.stdout.flush()

    def one(seat: Seat | None) -> int:
        from exchange.serving.affinity import keep_to_one

        index = 0 if seat is None else seat.index
        if settings.pin_processes:
            # Before gRPC is there, which starts threads.
            keep_to_one(index)
        from exchange.app import serve as serve_one
        from exchange.serving.telemetry import configure_logging

        configure_logging(settings.log_level)
        on_ready = ready if seat is None else lambda _: seat.ready()
        port = None if seat is None else seat.port
        lifeline = None if seat is None else seat.lifeline
        run(lambda stop: serve_one(settings, url, stop, on_ready, port, index), lifeline)
        return 0

    if settings.processes == 1:
        return one(None)
    return supervise(settings.processes, settings.host, settings.port, one, ready)


@app.command()
def migrate(
    operator: Annotated[str | None, typer.Option(help="The operator's id in clearing. [default: OPR]")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="IANA zone of the coalition's days. [default: Asia/Shanghai]")
    ] = None,
) -> None:
    """Bring the database up to date, and set the coalition up if it is new. Safe to run again."""
    settings = _settings()
    from exchange.db.engine import StartRefused
    from exchange.directory.setup import SetUpRefused

    try:
        with commands.database(settings) as url:
            _migrate(settings, url, operator, time_zone)
    except (StartRefused, SetUpRefused) as refused:
        commands.fail(refused)


def _migrate(settings: Settings, url: str, operator: str | None, time_zone: str | None) -> None:
    from exchange.db.engine import Database
    from exchange.db.migrate import migrate as run_migrations
    from exchange.directory import setup

    run_migrations(url, settings.service_extensions)

    async def set_up() -> None:
        database = Database(url, role=None)
        try:
            await setup.set_up(database, operator, time_zone)
        finally:
            await database.dispose()

    asyncio.run(set_up())


@keys.command()
def issue(
    role: Annotated[str, typer.Option(help="merchant, operator, finance-maker, finance-checker or auditor.")],
    merchant: Annotated[str | None, typer.Option(help="For role merchant: its id.")] = None,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    holder: Annotated[str | None, typer.Option(help="The person it is given to, li.wei: finance needs one.")] = None,
    expires: Annotated[datetime | None, typer.Option(help="When it ends by itself (UTC).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002
) -> None:
    """Make a key and print its secret, this once. How a new coalition's first operator gets in."""
    settings = _settings()
    from exchange.callers import PERSON, Caller, CallerRole
    from exchange.db.engine import StartRefused
    from exchange.refusals import Refusal

    try:
        caller_role = CallerRole[role.upper().replace("-", "_")]
    except KeyError:
        commands.fail(f"--role {role}: is none of merchant, operator, finance-maker, finance-checker, auditor")
    if (caller_role is CallerRole.MERCHANT) != (merchant is not None):
        commands.fail("--merchant goes with --role merchant, and only with it")
    if holder is not None and PERSON.fullmatch(holder) is None:
        commands.fail(f"--holder {holder}: lower-case letters, digits and ._@+-, at most 64")

    async def make(url: str) -> tuple[str, str]:
        from exchange.db.engine import Database
        from exchange.db.migrate import histories_of
        from exchange.directory.service import DirectoryChanges
        from exchange.rates.service import check_spreads
        from exchange.rates.source import CoalitionSource

        database = Database(url)
        try:
            await database.check(histories_of(settings.service_extensions), durable=False)
            changes = DirectoryChanges(database, CoalitionSource(database), check_spreads)
            console = Caller(CallerRole.OPERATOR, "console")
            expires_at = expires.replace(tzinfo=UTC) if expires else None
            credential, secret = await changes.issue_key(console, caller_role, merchant, name, expires_at, holder)
            return credential.name, secret
        finally:
            await database.dispose()

    try:
        with commands.database(settings) as url:
            key, secret = asyncio.run(make(url))
    except (Refusal, StartRefused) as refused:
        commands.fail(refused)
    if as_json:
        typer.echo(json.dumps({"name": key, "secret": secret}))
    else:
        typer.echo(f"{key}\n{secret}\nThe second line is the secret: it is shown this once. Send it as\n"
                   f"  authorization: Bearer {secret[:8]}…")  # fmt: skip


@app.command()
def audit(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002
    halt: Annotated[bool, typer.Option(help="Stop taking movements if a difference is found.")] = False,  # noqa: FBT002
    resume: Annotated[bool, typer.Option(help="Take movements again if nothing is found.")] = False,  # noqa: FBT002
) -> None:
    """Recompute every balance, lot, window total and law of conservation from the immutable rows.

    Exits 1 and names the first differences when something is wrong. Safe beside a serving exchange.
    """
    settings = _settings()
    from exchange import auditing
    from exchange.db.engine import StartRefused
    from exchange.db.migrate import histories_of

    histories = histories_of(settings.service_extensions)
    try:
        with commands.database(settings) as url:
            sys.exit(auditing.run(url, histories, as_json=as_json, halt_when_wrong=halt, resume_when_right=resume))
    except StartRefused as refused:
        commands.fail(refused)


@app.command()
def expire(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002
) -> None:
    """Lapse holds and end points that have reached their end, now: what every server does by itself from time to time.

    Safe to run twice, and beside serving exchanges: each thing is done once, by whoever comes first.
    """
    settings = _settings()
    from exchange import expiring
    from exchange.db.engine import StartRefused

    try:
        with commands.database(settings) as url:
            sys.exit(expiring.run(settings, url, as_json=as_json))
    except StartRefused as refused:
        commands.fail(refused)


if __name__ == "__main__":
    app()
