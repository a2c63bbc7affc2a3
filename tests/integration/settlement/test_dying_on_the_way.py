"""A month's walk dies at its most awkward moments, again and again: what was committed and never told is not redone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db.engine import Database
from settlement.month_end.model import State, Told, Walk
from settlement.month_end.papers import put
from settlement.month_end.service import MonthEnd
from tests.contract.paid import Treasury, treasury_of
from tests.integration.settlement.test_month_end import ANN, ONCE, approve, contents, counted, walked
from tests.servers import Server
from tests.worlds import a_world


@pytest.fixture
async def treasury(server: Server) -> AsyncIterator[Treasury]:
    """Period A in the first window, which is open; where everybody is paid is known."""
    async with a_world(server.address, server.operator_secret) as world:
        yield await treasury_of(world, closed=False)


class Died(BaseException):
    """The process is gone."""


class Mortal(Database):
    """A database whose user dies as soon as so many of its transactions are committed, and before it is told."""

    lives = 1

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Committed, and nobody ever hears of it."""
        async with super().write() as connection:
            yield connection
        self.lived()

    def lived(self) -> None:
        """One more step was taken."""
        self.lives -= 1
        if self.lives == 0:
            raise Died


@pytest.mark.timeout(400)
async def test_dying_at_every_commit_and_before_every_payment_file_it_goes_on(
    server: Server, treasury: Treasury, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed and never told is passed over; a file that was not written is written."""

    async def dies(lives: int) -> list[Told]:
        database = Mortal(server.url)
        database.lives = lives

        def put_or_die(path: Path, content: bytes) -> None:
            database.lived()
            put(path, content)

        monkeypatch.setattr("settlement.month_end.service.put", put_or_die)
        try:
            return [told async for told in MonthEnd(database, Walk(1, ANN, tmp_path), lambda *_: None).steps()]
        finally:
            await database.dispose()

    async def until_it_lives(*lives: int) -> tuple[int, list[Told]]:
        for deaths, number in enumerate(lives):
            try:
                return deaths, await dies(number)
            except Died:
                assert not [name for name in contents(tmp_path) if name.endswith(".xml")]
        raise AssertionError(f"{len(lives)} deaths, and no end")

    before, submitted = await until_it_lives(*[1] * 10)
    await approve(server, treasury, submitted[-1])
    after, _ = await until_it_lives(1, 1, 9)
    written = contents(tmp_path)
    monkeypatch.undo()
    whole = await walked(server, tmp_path)

    assert (before, after) == (4, 2), "closing, running, recounting, submitting; instructing, and before its file"
    assert [told.state for told in whole[:7]] == [State.BEFORE] * 7
    assert len([name for name in written if name.endswith(".xml")]) == 1
    assert contents(tmp_path) == written
    assert await counted(server) == ONCE
