"""How callers are put together into batches: few wait for the batch under way, nobody waits for one that is held up."""

from __future__ import annotations

import asyncio

from exchange.ledger.model import Receipt
from tests.integration.ledger.ledgers import Ledger, a_server_on
from tests.integration.ledger.pausing import paused
from tests.unit.rules.rulebook import earn

LINGER_MS = 2.0


async def test_who_comes_while_a_batch_is_held_up_is_not_held_up_for_long(ledger: Ledger) -> None:
    """Another lane takes them, all in one transaction, although the first stands still."""
    ada = await ledger.member()
    async with a_server_on(ledger.url, poster_linger_ms_max=LINGER_MS) as crowded:
        async with paused(ledger) as pause:
            first = asyncio.ensure_future(crowded.post(earn("1 TEL", "GRO", member_id=ada)))
            await pause.until_waiting("relation")
            bob = await ledger.member("bob")
            others = [asyncio.ensure_future(crowded.post(earn("1 TEL", "GRO", member_id=bob))) for _ in range(7)]
            await pause.until_waiting("relation", 2)

        answers = await asyncio.gather(first, *others)

    blocks = {answer.transfer.ledger_sequence // 1000 for answer in answers}
    assert len(blocks) == 2
    assert await ledger.balances(bob) == {"TEL": 7}


async def test_a_crowd_is_posted_in_few_transactions(ledger: Ledger) -> None:
    """Callers that come one by one, again and again, share transactions; every one is answered."""
    ada = await ledger.member()

    async def calls(crowded: Ledger) -> None:
        for _ in range(5):
            await crowded.post(earn("1 TEL", "GRO", member_id=ada))

    async with a_server_on(ledger.url, poster_linger_ms_max=LINGER_MS) as crowded:
        await asyncio.gather(*(calls(crowded) for _ in range(60)))

    batches = await ledger.value("SELECT count(DISTINCT ledger_sequence / 1000) FROM exchange.transfers")
    assert await ledger.balances(ada) == {"TEL": 300}
    assert batches <= 60


async def test_lanes_that_wait_at_the_door_go_home_when_the_server_ends(ledger: Ledger) -> None:
    """One lane waits for callers and the others for their turn; what came last is posted before they leave."""
    ada = await ledger.member()
    async with a_server_on(ledger.url, poster_linger_ms_max=LINGER_MS, poster_lanes=4) as crowded:
        calls = [asyncio.ensure_future(crowded.post(earn("1 TEL", "GRO", member_id=ada))) for _ in range(20)]
        await asyncio.sleep(0)

    answers = await asyncio.gather(*calls)
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert await ledger.balances(ada) == {"TEL": 20}
