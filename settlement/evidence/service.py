"""Use cases of evidence: write a pack from one snapshot, and hold a pack against the database as it is now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from exchange.db.engine import Database
from exchange.refusals import ResourceNotFound, WindowState
from settlement import exchange_directory, exchange_ledger
from settlement.evidence.code import code
from settlement.evidence.comparing import Compared, compare
from settlement.evidence.model import Manifest, Written
from settlement.evidence.parts import PARTS, Source
from settlement.evidence.reading import Pack
from settlement.evidence.writing import Folder, put_in_place
from settlement.run.life import DEAD
from settlement.run.service import read_run
from settlement.run.sql import NEWEST_OF_WINDOW

Progress = Callable[[str, int, int], None]
"""Told which part begins, how many are done, and how many there are."""


def no_progress(_: str, __: int, ___: int) -> None:
    """For callers without a screen."""


class Evidence:
    """Writing packs and holding them against the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, window_no: int, target: Path, progress: Progress = no_progress) -> Written:
        """Write the pack of a window's newest run: a folder, or one file where the target ends in .zip.

        The same state gives the same bytes. What was at the target is replaced when all is written, if it is a pack.

        Raises:
            ResourceNotFound: there is no such window, or it was never run.
            WindowState: it is open, or no run of it stands.
            TargetTaken: something that is no pack is there.
        """
        with put_in_place(target) as root:
            folder = Folder(root)
            async with self._database.read() as connection:
                window = await exchange_ledger.require_closed(connection, window_no, "window")
                row = (await connection.execute(NEWEST_OF_WINDOW, {"window_no": window_no})).first()
                if row is None:
                    raise ResourceNotFound(resource=f"windows/{window_no}/runs", field="window")
                if row.state in DEAD:
                    raise WindowState(window=window.name, state=row.state, needed="CALCULATED")
                run = await read_run(connection, row.run_id)
                source = Source(connection, window, run, await exchange_directory.coalition(connection))
                for number, part in enumerate(PARTS):
                    progress(part.name, number, len(PARTS))
                    await part.write(source, folder)
            progress("", len(PARTS), len(PARTS))
            stored = sorted(folder.stored)
            manifest = Manifest(window_no, run.name, run.digest, run.life.state.value, code(), stored)
            fingerprint = folder.seal(manifest)
        return Written(str(target), fingerprint, manifest)

    async def compare(self, pack: Pack) -> Compared:
        """Hold a pack against what the database would write now.

        Raises:
            ResourceNotFound, WindowState: the database has no such window, or no run of it that stands.
            Damaged: the pack's manifest cannot be read.
        """
        manifest, _ = pack.manifest()
        with tempfile.TemporaryDirectory(prefix="evidence-") as made:
            now = Path(made) / "now"
            await self.write(manifest.window_no, now)
            live = Pack(now)
            return compare(pack, live)
