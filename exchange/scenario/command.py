"""`python -m exchange scenario FILE`: play a file, compare, and say what is different."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from exchange.scenario.model import Scenario

AS_EXPECTED, DIFFERENT, NOT_PLAYED = 0, 1, 2
"""Exit codes: everything came out as the file says; something did not; the file or the surroundings are wrong."""


def scenario(
    file: Annotated[Path, typer.Argument(help="A scenario file (YAML); examples/scenarios has some.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Play a business day from a file on a sandbox of its own and compare it with what the file expects.

    The sandbox is a real server on a fresh database: embedded, or a new one on the server EXCHANGE_DATABASE_URL names;
    nothing that exists is touched. Everything goes through the gRPC API.

    Exits 0 when all is as expected, 1 with every difference named, 2 when the file cannot be played.
    """
    from exchange.client.caller import Refused
    from exchange.client.tables import wide_console
    from exchange.sandbox import SandboxFailed, run
    from exchange.scenario.comparison import differences
    from exchange.scenario.player import play
    from exchange.scenario.report import as_document, show
    from exchange.scenario.sections import BadScenario

    read = _read(file)
    try:
        day = run(play(read))
    except BadScenario as bad:
        raise _not_played(f"{file}, {bad}") from bad
    except (Refused, SandboxFailed) as failed:
        raise _not_played(f"{file}: the sandbox does not work: {failed}") from failed
    found = differences(read.expect, day)
    if json:
        typer.echo(json_text.dumps(as_document(read, day, found), indent=2, ensure_ascii=False))
    else:
        show(read, day, found, wide_console())
    raise typer.Exit(DIFFERENT if found else AS_EXPECTED)


def _read(file: Path) -> Scenario:
    from exchange.scenario.parser import read_scenario
    from exchange.scenario.sections import BadScenario

    try:
        return read_scenario(file)
    except BadScenario as bad:
        raise _not_played(f"{file}, {bad}") from bad
    except OSError as error:
        raise _not_played(f"{file}: {error.strerror}") from error


def _not_played(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(NOT_PLAYED)
