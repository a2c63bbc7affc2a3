"""Opening the files people name, with progress for big ones, and answering bad input with one plain line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from settlement.circulation import AmountsTooLarge
from settlement.cli.plain import NotDone
from settlement.csv_rows import BadFile, as_text

BIG_FILE_BYTES = 4_000_000
"""From here on reading takes long enough to be worth a progress bar."""


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """The file as CSV text; a big one shows on a terminal's stderr how far it is read."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size < BIG_FILE_BYTES or not sys.stderr.isatty():
            with as_text(stream) as text:
                yield text
            return
        from rich.console import Console
        from rich.progress import wrap_file

        console = Console(stderr=True)
        with (
            wrap_file(stream, size, description=f"Reading {path.name}", console=console, transient=True) as watched,
            as_text(watched) as text,
        ):
            yield text


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show on a terminal's stderr that something long is going on."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(message):
        yield


@contextmanager
def progress(message: str, *, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Something that can be told how many of how many are done, drawn on stderr; None when nobody would see it."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(message, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def plain_refusals() -> Iterator[None]:
    """Turn what is wrong with the input into one line on stderr and exit code 2."""
    try:
        yield
    except BadFile as refusal:
        refused(str(refusal), refusal, "mend that line and type the same again; nothing was computed")
    except AmountsTooLarge as refusal:
        refused(str(refusal), refusal, "split the file: what is too large together is worked out in parts")
    except OSError as error:
        refused(f"{error.filename}: {error.strerror}", error)


def refused(message: str, cause: Exception | None = None, next_step: str = "") -> None:
    """Say why not, and what to do next; the command ends with exit code 2.

    Raises:
        NotDone: always.
    """
    raise NotDone(message, next_step) from cause
