"""An issuer's system as a process with books of its own, which a test may kill at any step."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT
from tests.worlds import Merchant

PROGRAM = ROOT / "examples" / "external_ledger" / "partner.py"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Issuer:
    """A system that runs.

    Attributes:
        process: as started.
        books: the file of its own ledger.
    """

    process: Process
    books: Path

    async def until(self, said: str) -> None:
        """Wait until it says that it has come to a step."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await self.process.stdout.readline()).decode().strip():
                if line == said:
                    return
        raise AssertionError(f"it ended before it was {said}")

    async def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def an_issuer(merchant: Merchant, address: str, books: Path, stop_at: str = "") -> AsyncIterator[Issuer]:
    """The example's program on those books; gone when the block ends, killed or not."""
    steps = ["--stop-at", stop_at] if stop_at else []
    environ = os.environ | {"EXCHANGE_ADDRESS": address, "EXCHANGE_KEY": merchant.secret}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), str(books), *steps, env=environ, stdin=DEVNULL, stdout=PIPE, cwd=ROOT
    )
    try:
        yield Issuer(process, books)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def open_books(books: Path, points: Mapping[str, int]) -> None:
    """Write the points members begin with."""
    with closing(sqlite3.connect(books)) as database, database:
        database.execute("CREATE TABLE balances (member TEXT PRIMARY KEY, points INTEGER NOT NULL CHECK (points >= 0))")
        database.executemany("INSERT INTO balances VALUES (?, ?)", points.items())


def points_in(books: Path) -> dict[str, int]:
    """Points by member, as the issuer keeps them."""
    with closing(sqlite3.connect(books)) as database:
        return dict(database.execute("SELECT member, points FROM balances"))


def done_in(books: Path) -> dict[str, int]:
    """By how much each instruction that was applied changed a balance."""
    with closing(sqlite3.connect(books)) as database:
        return dict(database.execute("SELECT name, change FROM instructions WHERE outcome = 1"))
