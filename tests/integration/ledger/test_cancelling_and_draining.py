"""Callers that give up, queues that are full, servers that end: what was begun is finished, what was not never is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.engine import make_url

from exchange.due import ending
from exchange.ledger import poster as poster_module
from exchange.ledger.model import Command, Receipt
from exchange.ledger.poster import Poster
from exchange.ledger.sql import BLOCK_UNITS
from exchange.movements import decide
from exchange.rates.model import Coalition
from exchange.refusals import DatabaseUnavailable, ServerBusy, ServerDraining
from tests.integration.ledger.ledgers import Ledger, at_once, moved, owner_of
from tests.unit.rules.rulebook import earn, redeem


def a_poster(ledger: Ledger) -> Poster[Coalition]:
    """A poster with one lane that has not been started yet."""
    return Poster(ledger.database, ledger.api.source, decide, ending=ending, lanes=1)


async def test_a_caller_that_gives_up_learns_by_repeating_whether_it_was_done(servers: list[Ledger]) -> None:
    """Calls are cut off at odd moments; repeated at the other server each is done exactly once."""
    ada = await servers[0].member()
    chance = random.Random(7)
    commands = [earn("1 TEL", "GRO", key=f"k{number}", member_id=ada) for number in range(150)]

    async def impatient(command: Command) -> bool:
        try:
            async with asyncio.timeout(chance.uniform(0, 0.02)):
                await servers[0].post(command)
        except TimeoutError:
            return False
        return True

    answered = await at_once(*map(impatient, commands))
    again = await at_once(*map(servers[1].told, commands))

    assert all(isinstance(answer, Receipt) for answer in again)
    assert all(answer.replayed for answer, done in zip(again, answered, strict=True) if done)  # type: ignore[union-attr]
    assert not all(answered)
    assert await servers[0].balances(ada) == {"TEL": 150}
    assert await servers[0].value("SELECT count(*) FROM exchange.transfers") == 150


async def test_who_gives_up_while_only_waiting_was_never_begun(ledger: Ledger) -> None:
    """Its command is dropped from the queue, its key stays unused, the others are done."""
    ada = await ledger.member()
    poster = a_poster(ledger)
    calls = [
        asyncio.ensure_future(poster.post(earn("1 TEL", "GRO", key=f"k{number}", member_id=ada))) for number in range(6)
    ]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()

    poster.start()
    await poster.drain()

    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, False] * 3
    keys = await ledger.rows("SELECT request_id FROM exchange.request_keys ORDER BY request_id")
    assert [row[0] for row in keys] == ["k1", "k3", "k5"]


async def test_a_batch_is_no_larger_than_the_places_it_may_give_out(ledger: Ledger) -> None:
    """Also when a caller between two large groups gives up: else two transfers would stand in one place."""
    ada = await ledger.member()
    poster = a_poster(ledger)
    sizes = (BLOCK_UNITS - 1, 1, BLOCK_UNITS, 5)
    groups = [
        asyncio.ensure_future(poster.post_all([earn("1 TEL", "GRO", member_id=ada) for _ in range(size)], atomic=False))
        for size in sizes
    ]
    await asyncio.sleep(0)
    groups[1].cancel()

    poster.start()
    await poster.drain()

    done = [answer for group in (groups[0], groups[2], groups[3]) for answer in await group]
    places = [answer.transfer.ledger_sequence for answer in done if isinstance(answer, Receipt)]
    assert len(places) == sum(sizes) - 1
    assert len(set(places)) == len(places)


async def test_more_than_may_wait_is_refused_before_anything_is_begun(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one too many is told to come again and leaves no trace; those who wait are served."""
    monkeypatch.setattr(poster_module, "WAITING_MAX", 5)
    ada = await ledger.member()
    poster = a_poster(ledger)
    waiting = [asyncio.ensure_future(poster.post(earn("1 TEL", "GRO", member_id=ada))) for _ in range(4)]
    await asyncio.sleep(0)

    with pytest.raises(ServerBusy):
        await poster.post_all([earn("9 TEL", "GRO", key="many", member_id=ada) for _ in range(2)], atomic=False)
    last = asyncio.ensure_future(poster.post(earn("1 TEL", "GRO", member_id=ada)))
    await asyncio.sleep(0)
    with pytest.raises(ServerBusy):
        await poster.post(earn("9 TEL", "GRO", key="one", member_id=ada))

    poster.start()
    assert len(moved(await at_once(*waiting, last))) == 5
    assert not (await poster.post(earn("9 TEL", "GRO", key="one", member_id=ada))).replayed
    await poster.drain()
    assert await ledger.balances(ada) == {"TEL": 14}


async def test_a_queue_that_was_full_has_room_again_when_its_waiters_gave_up(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped commands are not counted for ever."""
    monkeypatch.setattr(poster_module, "WAITING_MAX", 3)
    ada = await ledger.member()
    poster = a_poster(ledger)
    waiting = [asyncio.ensure_future(poster.post(earn("1 TEL", "GRO", member_id=ada))) for _ in range(3)]
    await asyncio.sleep(0)
    for call in waiting:
        call.cancel()
    await asyncio.wait(waiting)

    poster.start()
    while poster._waiting.commands:
        await asyncio.sleep(0.01)
    groups = await poster.post_all([earn("1 TEL", "GRO", member_id=ada) for _ in range(3)], atomic=True)

    assert all(isinstance(answer, Receipt) for answer in groups)
    await poster.drain()


async def test_a_drain_finishes_what_was_taken_and_takes_nothing_more(ledger: Ledger) -> None:
    """Every caller that was let in is answered by its commit."""
    ada = await ledger.member()
    poster = a_poster(ledger)
    poster.start()
    calls = [asyncio.ensure_future(poster.post(earn("1 TEL", "GRO", member_id=ada))) for _ in range(300)]
    await asyncio.sleep(0)

    drained = asyncio.create_task(poster.drain())
    await asyncio.sleep(0)
    with pytest.raises(ServerDraining):
        await poster.post(redeem("1 TEL", "CAF", member_id=ada))
    answers = await at_once(*calls)
    await drained

    assert len(moved(answers)) == 300
    assert await ledger.balances(ada) == {"TEL": 300}


@asynccontextmanager
async def out_of_reach(ledger: Ledger) -> AsyncIterator[None]:
    """The database ends all connections and takes no new ones while the block runs."""
    name = make_url(ledger.url).database
    async with owner_of(make_url(ledger.url).set(database="postgres").render_as_string(hide_password=False)) as owner:
        await owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        try:
            yield
        finally:
            await owner.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def test_nobody_waits_for_a_database_that_is_out_of_reach(ledger: Ledger) -> None:
    """Callers are told that the outcome is unknown; when it is back the same requests are done, once."""
    ada = await ledger.member()
    awards = [earn("1 TEL", "GRO", key=f"k{number}", member_id=ada) for number in range(5)]

    async with out_of_reach(ledger):
        answers = [await ledger.told(award) for award in awards]
    again = [await ledger.known(award) for award in awards]

    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    assert len(moved(again)) == 5
    assert await ledger.balances(ada) == {"TEL": 5}


async def test_a_drain_without_a_database_comes_to_its_end(ledger: Ledger) -> None:
    """Who was let in is told that the outcome is unknown, and the server can go."""
    ada = await ledger.member()
    poster = a_poster(ledger)
    call = asyncio.ensure_future(poster.post(earn("1 TEL", "GRO", member_id=ada)))
    await asyncio.sleep(0)

    async with out_of_reach(ledger):
        poster.start()
        await poster.drain()

    with pytest.raises(DatabaseUnavailable):
        await call
    assert await ledger.balances(ada) == {}
