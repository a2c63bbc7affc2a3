"""Posting beside watchers, as it is measured: who posts and who reads are processes of their own."""

from __future__ import annotations

from bench import watching
from tests.servers import a_server


async def test_a_reader_tells_how_far_behind_it_was_and_sleepers_are_beside(database_url: str) -> None:
    """Under each condition something is posted; only who reads can be behind, and hears of what is posted meanwhile."""
    async with a_server(database_url) as server:
        cases = await watching.measured(server.port, server.operator_secret, rounds=1, seconds=0.3)

    alone, read, slow = cases.values()
    assert all(rate > 0 for case in (alone, read, slow) for rate in case.rates)
    assert [len(case.rates) for case in (alone, read, slow)] == [1, 1, 1]
    assert len(read.lags_ms) == len(read.lags_events) > 0
    assert min(read.lags_events) >= 0
    assert not alone.lags_ms + slow.lags_ms
