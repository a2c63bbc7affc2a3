"""Posting beside watchers, as it is measured: who posts and who reads are processes of their own."""

from __future__ import annotations

from bench import watching
from tests.servers import a_server


async def test_watchers_readers_and_sleepers_take_turns_beside_posters(database_url: str) -> None:
    """Under each something is posted; only who watches can be behind, and only reads are timed."""
    async with a_server(database_url) as server:
        cases = await watching.measured(server.port, server.operator_secret, rounds=1, seconds=0.3)

    alone, read, asked, slow = cases.values()
    assert all(rate > 0 for case in cases.values() for rate in case.rates)
    assert [len(case.rates) for case in cases.values()] == [1, 1, 1, 1]
    assert len(read.lags_ms) == len(read.lags_events) > 0
    assert min(read.lags_events) >= 0
    assert not alone.lags_ms + asked.lags_ms + slow.lags_ms
    assert asked.reads_ms
    assert asked.quiet_reads_ms
