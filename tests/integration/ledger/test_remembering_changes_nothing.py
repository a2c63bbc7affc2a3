"""The same random script is played to servers that remember and to one that does not: nobody could tell which is which.

Servers that remember are three on one database, of which one remembers so little that it forgets all the time. Time
passes by hours here, and none of them grows wary: what is rare elsewhere happens in every script.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.ledger.batch import Batch
from exchange.ledger.poster import Poster
from tests.database import Databases
from tests.integration.ledger.ledgers import a_server_on, differences, owner_of
from tests.integration.ledger.playing import Side, Stage
from tests.integration.ledger.scripts import Script, scripts

REMEMBERED = (20_000, 20_000, 3)
HOURS_TOLD = 6 * 3_600.0
"""For how long the time is told here without asking: six hours."""
A_FEW = 50
"""Batches of a hundred scripts that were decided on what was remembered: there are hundreds."""


@pytest.fixture(scope="module")
async def relied() -> AsyncIterator[list[bool]]:
    """Of every batch that was written, whether it was decided on what was remembered."""
    relied: list[bool] = []
    was_right = Poster._was_right

    def noted(poster: Poster[Any], batch: Batch[Any]) -> None:
        relied.append(batch.relied)
        was_right(poster, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Poster, "_was_right", noted)
        yield relied


@pytest.fixture(scope="module")
async def stage(databases: Databases, founded: str) -> AsyncIterator[Stage]:
    """Two copies of one coalition, the first with servers that remember; nothing is wrong in either afterwards."""
    names = [await databases.clone(founded) for _ in range(2)]
    urls = [databases.url_of(name) for name in names]
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        sides = []
        for url, remembered in zip(urls, (REMEMBERED, (0,)), strict=True):
            # What falls due ends when a script says so, not when some server looks.
            starting = [a_server_on(url, remembered_accounts=one, due_seconds=86_400) for one in remembered]
            servers = [await stack.enter_async_context(server) for server in starting]
            sides.append(Side(servers, await stack.enter_async_context(owner_of(url))))
        stage = Stage(sides)
        patch.setattr("exchange.ledger.gathering.monotonic", lambda: monotonic() + stage.passed)
        patch.setattr("exchange.ledger.memory.MOMENT_SECONDS", HOURS_TOLD)
        patch.setattr("exchange.ledger.wariness.Wariness.is_wary", lambda _: False)
        yield stage
    assert [await differences(url) for url in urls] == [{}, {}]
    for name in names:
        await databases.drop(name)


async def test_servers_that_remember_tell_and_leave_what_one_that_does_not_would(
    stage: Stage, relied: list[bool]
) -> None:
    """Yes and no, figures, lots, money, windows: whichever server is asked."""
    loop = asyncio.get_running_loop()

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(scripts(24))
    def play(script: Script) -> None:
        asyncio.run_coroutine_threadsafe(stage.play(script), loop).result(60)

    # In a thread of its own: Hypothesis does not wait for coroutines.
    await asyncio.to_thread(play)

    assert sum(relied) > A_FEW


async def test_what_is_told_by_servers_that_remember_all_at_once_is_what_is_left(stage: Stage) -> None:
    """Three scripts at the same time: every key has one effect, and the yeses add up to the balances."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=30, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(scripts(8), min_size=3, max_size=3))
    def play(parts: list[Script]) -> None:
        asyncio.run_coroutine_threadsafe(stage.play_at_once(parts), loop).result(60)

    await asyncio.to_thread(play)
