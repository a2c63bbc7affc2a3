"""Events in one order, none skipped: transactions draw their sequences in one order and commit in another."""

from __future__ import annotations

import asyncio
import random

from tests.integration.ledger.ledgers import Ledger, going_on
from tests.integration.ledger.pausing import FENCE, without
from tests.integration.ledger.readers import ALL, TRANSFERS, Naive, Polling, a_held_key, watched
from tests.unit.rules.rulebook import convert, earn, redeem


async def read_across_a_late_commit(servers: list[Ledger], reader: Polling | Naive) -> list[str]:
    """What a reader is told in all, that reads while one of two postings has drawn first and not committed yet."""
    ada, ben = await servers[0].members(2)

    async with a_held_key(servers[0], "GRO", "early") as held:
        early = asyncio.create_task(servers[0].post(earn("5 TEL", "GRO", key="early", member_id=ada)))
        await held.until_awaited()
        late = await servers[1].post(earn("5 TEL", "GRO", key="late", member_id=ben))
        await reader.poll(servers[1])
        await held.let_go()
        first = await early
    assert first.transfer.ledger_sequence < late.transfer.ledger_sequence, "it drew first and committed last"
    await reader.poll(servers[1])
    return reader.told


async def test_who_drew_first_and_committed_last_is_told_first(servers: list[Ledger]) -> None:
    """What was committed meanwhile is held back until whoever drew before has ended."""
    assert await read_across_a_late_commit(servers, Polling(TRANSFERS)) == ["early", "late"]


async def test_a_reader_that_goes_on_after_the_greatest_sequence_skips_it(servers: list[Ledger]) -> None:
    """The same interleaving read as one would with a serial column: what the reader above is for."""
    assert await read_across_a_late_commit(servers, Naive()) == ["late"]


async def test_without_the_fence_it_would_be_skipped_here_too(servers: list[Ledger]) -> None:
    """Who holds the fence is all that tells of postings under way."""
    await without(servers[0], FENCE)

    assert await read_across_a_late_commit(servers, Polling(TRANSFERS)) == ["late"]


async def test_what_was_drawn_and_rolled_back_holds_nothing_up(servers: list[Ledger]) -> None:
    """A batch that starts again leaves a gap in the sequences, and a gap means nothing."""
    ada, ben = await servers[0].members(2)
    reader = Polling(TRANSFERS)

    async with a_held_key(servers[0], "GRO", "held") as held:
        posting = asyncio.create_task(servers[0].post(earn("5 TEL", "GRO", key="held", member_id=ada)))
        await held.until_awaited()
        posting.cancel()
        (waiting,) = await servers[0].rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'"
        )
        await servers[0].rows("SELECT pg_terminate_backend($1)", waiting["pid"])
        await servers[1].post(earn("5 TEL", "GRO", key="later", member_id=ben))

        assert await reader.poll(servers[1]) == ["later"]


async def test_readers_under_load_see_everything_once_and_in_order(servers: list[Ledger]) -> None:
    """Two servers post from many callers; readers that poll and watch either server agree with the ledger."""
    members = await servers[0].members(8)
    for member in members:
        await servers[0].post(earn("90 000 BNK", "BNK", member_id=member))
    stop = asyncio.Event()

    async def shop(place: int) -> None:
        server, member = servers[place % 2], members[place % len(members)]
        while not stop.is_set():
            await server.post(earn("3 TEL", "GRO", member_id=member))
            await server.post(redeem("1 TEL", "CAF", member_id=member))
            await server.post(convert("30 BNK", "AIR", by="BNK", member_id=member))

    async def poll(reader: Polling) -> None:
        while not stop.is_set():
            await reader.poll(random.choice(servers))

    readers, naive = [Polling() for _ in range(3)], Naive()
    watches = [
        await server.api.events.begin(viewer, "", from_now=False) for server in servers for viewer in (ALL, TRANSFERS)
    ]
    async with going_on(*(shop(place) for place in range(12))) as shops, going_on(*map(poll, readers)) as polls:
        while len(naive.told) < 1_500:
            await naive.poll(servers[0])
            await asyncio.sleep(0.005)
        stop.set()
        await asyncio.gather(*shops, *polls)

    wanted = await servers[0].rows("SELECT request_id FROM exchange.transfers ORDER BY ledger_sequence")
    transfers = [row[0] for row in wanted]
    for reader in readers:
        await reader.poll(servers[0])
        assert [key for key in reader.told if "/" not in key] == transfers
    noted = [key for key in readers[0].told if "/" in key]
    for place, walk in enumerate(watches):
        server, is_all = servers[place // 2], walk.viewer == ALL
        told = await watched(server, walk, len(transfers) + len(noted) * is_all)
        assert told == (readers[0].told if is_all else transfers)
