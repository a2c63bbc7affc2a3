"""`settlement evidence | verify`: all a window's settlement is made of in one pack, and computing it again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from settlement.cli.files import plain_refusals, refused
from settlement.cli.ledger import as_json, on_ledger, window_number
from settlement.cli.plain import PROGRAM

if TYPE_CHECKING:
    from exchange.db.engine import Database
    from settlement.evidence.model import Verified, Written

DIGITS_MIN = 12
Progress = Callable[[str, int, int], None]


def evidence(
    window: Annotated[str, typer.Argument(help="Number of a window that was run.")],
    out: Annotated[Path, typer.Option(help="Folder to write to, or one file ending in .zip.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Write the evidence of a window: inputs, rules, result, approvals, payment files, bank answers, with their hashes.

    Plain CSV and JSON. The same state gives the same bytes. Note the fingerprint down where nobody can change it.
    """
    number = window_number(window)
    if number is None:
        refused("the open window has no evidence yet: say the number of one that was run")
    assert number is not None

    async def work(database: Database) -> Written:
        from settlement.evidence.service import Evidence

        with progress_bar("Writing evidence") as progress:
            return await Evidence(database).write(number, out, progress)

    with plain_refusals():
        written = on_ledger(work)
    if json:
        manifest = written.manifest
        parts = [one._asdict() for one in manifest.parts]
        names = {"pack": written.path, "fingerprint": written.fingerprint, "window": f"windows/{number}"}
        typer.echo(as_json({**names, "run": manifest.run, "digest": manifest.digest, "state": manifest.state,
                            "parts": parts}))  # fmt: skip
        return
    size = sum(one.bytes for one in written.manifest.parts)
    typer.echo(f"{written.path}: {len(written.manifest.parts)} files, {size:,} bytes, of {written.manifest.run}")
    typer.echo(f"fingerprint {written.fingerprint}")
    typer.echo(f"Next: {PROGRAM} verify {written.path}")


def verify(
    pack: Annotated[Path, typer.Argument(help="Folder or .zip that `evidence` wrote.")],
    fingerprint: Annotated[str, typer.Option(help="What was noted down when it was written, 12 digits at least.")] = "",
    *,
    database: Annotated[bool, typer.Option("--database", help="Hold it against the live database too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Compute a pack again from its files alone, and say identical or name the first differences. Exit code 1 then.

    No database is needed, nor asked unless --database is given.
    """
    if not pack.exists():
        refused(f"{pack}: No such file or directory")
    if fingerprint and len(fingerprint) < DIGITS_MIN:
        refused(f"--fingerprint {fingerprint}: give its first {DIGITS_MIN} digits at least")
    from settlement.evidence.verify import verify as verified

    with progress_bar("Verifying") as progress:
        found = verified(pack, progress, fingerprint)
    if database and found.window:
        found = _against_database(pack, found)
    if json:
        typer.echo(as_json(_plain(pack, found)))
    else:
        _show(pack, found)
    if found.differences:
        raise typer.Exit(1)


def _against_database(pack: Path, found: Verified) -> Verified:
    async def work(live: Database) -> Verified:
        from settlement.evidence.reading import Pack
        from settlement.evidence.service import Evidence
        from settlement.evidence.verify import with_database

        opened = Pack(pack)
        try:
            return with_database(found, await Evidence(live).compare(opened))
        finally:
            opened.close()

    return on_ledger(work)


def _plain(pack: Path, found: Verified) -> dict[str, object]:
    return {
        "pack": str(pack),
        "identical": not found.differences,
        "fingerprint": found.fingerprint,
        "window": found.window,
        "digest": found.digest,
        "checks": list(found.checks),
        "differences": [one._asdict() for one in found.differences],
        "more": found.more,
        "later": list(found.later),
        "notes": list(found.notes),
    }


def _show(pack: Path, found: Verified) -> None:
    for note in (*found.notes, *(f"later: {one}" for one in found.later)):
        typer.echo(note)
    if not found.differences:
        typer.echo(f"{pack}: identical. {found.window}, digest {found.digest}")
        typer.echo(f"computed again: {', '.join(found.checks)}")
        typer.echo(f"fingerprint {found.fingerprint}")
        return
    more = " and more" if found.more else ""
    typer.echo(f"{pack}: NOT identical, {len(found.differences)} differences{more}")
    for one in found.differences:
        typer.echo(f"  {one}")
    typer.echo("Next: keep this pack as it is, write another from the database and compare who changed what")


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """A bar on a terminal's stderr; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _all: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def told(name: str, done: int, of: int) -> None:
            bar.update(task, description=f"{title}: {name}" if name else title, completed=done, total=of)

        yield told
