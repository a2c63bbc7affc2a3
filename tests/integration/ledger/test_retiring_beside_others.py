"""A partition that leaves beside others: somebody who does the same, and other ledgers with partitions of its name."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.ledger.model import Transfer
from exchange.retention import command
from exchange.retention.archive import ArchiveDiffers
from exchange.retention.model import Retirement, Step
from exchange.retention.service import RetirementRefused, Retirements
from exchange.retention.verifying import verify
from exchange.sandbox.processes import answer_of, environment
from tests.integration.ledger.ledgers import Ledger
from tests.integration.ledger.retiring import LI_WEI, candidate, cut, keeping, retired


@pytest.fixture
async def retirements(ledger: Ledger) -> AsyncIterator[Retirements]:
    """Who lets its partitions leave."""
    async with keeping(ledger) as retirements:
        yield retirements


async def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


async def test_two_who_go_on_at_once_do_not_get_in_each_others_way(
    ledger: Ledger, retirements: Retirements, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """One lets the partition leave; the other is told so, and changes nothing."""
    assert old
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Retirements, "_checkpoint", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            await retired(ledger, tmp_path)
    unfinished = await retirements.unfinished()
    assert unfinished is not None

    both = [retirements.go_on(unfinished, tmp_path) for _ in range(2)]
    first, second = sorted(await asyncio.gather(*both, return_exceptions=True), key=lambda one: type(one).__name__)

    assert isinstance(second, RetirementRefused)
    assert "somebody else" in str(second)
    assert isinstance(first, Retirement)
    assert first.step is Step.DETACHED
    assert await verify(retirements._database, first, tmp_path / first.part_name, first.archive_digest) == 5


async def test_an_archive_of_another_ledger_is_not_written_over(
    ledger: Ledger, retirements: Retirements, old: dict[str, Transfer], tmp_path: Path
) -> None:
    """Its partition has the same name; in another folder the retirement goes on. Nor is any folder cleared away."""
    assert old
    for name, content in (("manifest.json", '{"format": 1, "checkpoint_digest": "5d1f"}'), ("notes.txt", "mine")):
        folder = tmp_path / name
        others = folder / "transfers_first" / name
        others.parent.mkdir(parents=True)
        others.write_text(content)

        unfinished = await retirements.unfinished()
        with pytest.raises(ArchiveDiffers):
            await (retirements.go_on(unfinished, folder) if unfinished else retired(ledger, folder))

        assert others.read_text() == content
    unfinished = await retirements.unfinished()
    assert unfinished is not None
    assert (await retirements.go_on(unfinished, tmp_path)).step is Step.DETACHED


async def test_a_folder_that_cannot_be_written_to_is_a_plain_no(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is not there, before anything is begun; and a disk that is full on the way."""
    environ = environment(database_url=ledger.url)
    absent = await answer_of(("retire", "--before", "2100-01-01", "--archive", "/nowhere", "--really"), environ)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    async def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    said = io.StringIO()
    with pytest.raises(SystemExit) as ended, contextlib.redirect_stderr(said):
        await asyncio.to_thread(command._run, full)

    assert (absent[0], absent[2]) == (2, "--archive /nowhere: there is no such folder\n")
    assert ended.value.code == 1
    assert said.getvalue() == "the archive cannot be read or written: [Errno 28] No space left on device\n"


async def test_nobody_needs_an_empty_partition(ledger: Ledger, tmp_path: Path) -> None:
    """Neither before it is begun nor before it is detached."""
    await cut(ledger)

    async def everything(*_: object) -> list[str]:
        return ["all of it"]

    async with keeping(ledger, needs=[everything]) as retirements:
        gone = await retirements.retire(await candidate(retirements), LI_WEI, tmp_path)

    assert (gone.step, gone.transfers) == (Step.DETACHED, 0)
