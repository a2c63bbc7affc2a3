"""A partition that leaves beside others: somebody who does the same, and other ledgers with partitions of its name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exchange.ledger.model import Transfer
from exchange.retention.archive import ArchiveDiffers
from exchange.retention.model import Retirement, Step
from exchange.retention.service import RetirementRefused, Retirements
from exchange.retention.verifying import verify
from tests.integration.ledger.ledgers import Ledger
from tests.integration.ledger.retiring import keeping, retired


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
