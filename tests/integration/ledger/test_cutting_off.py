"""The cut-off: at one instant for everybody. What a window held when closing returned, it holds for ever."""

from __future__ import annotations

import asyncio

import pytest

from exchange.ledger.windows import close_window
from exchange.refusals import ResourceNotFound
from tests.integration.ledger.ledgers import Ledger, going_on
from tests.integration.ledger.pausing import FENCE, done_or_fenced, paused, without
from tests.unit.rules.rulebook import convert, earn, redeem

CUT_OFFS = 8


async def test_a_window_closed_under_load_never_changes_again(servers: list[Ledger]) -> None:
    """Windows are closed again and again while two servers post; every obligation is in exactly one of them."""
    members = await servers[0].members(6)
    for member in members:
        await servers[0].post(earn("100 000 BNK", "BNK", member_id=member))
    stop = asyncio.Event()

    async def shop(server: Ledger, place: int) -> int:
        member = members[place % len(members)]
        done = 0
        while not stop.is_set():
            await server.post(earn("3 TEL", "GRO", member_id=member))
            await server.post(redeem("1 TEL", "CAF", member_id=member))
            await server.post(convert("30 BNK", "AIR", by="BNK", member_id=member))
            done += 1
        return done

    at_closing = {}
    async with going_on(*(shop(servers[place % 2], place) for place in range(12))) as shops:
        for number in range(CUT_OFFS):
            while not await servers[0].totals(number + 1):
                await asyncio.sleep(0.01)
            window = await servers[number % 2].close_window()
            at_closing[window.window_no] = await servers[0].totals(window.window_no)
        stop.set()
        rounds = sum(await asyncio.gather(*shops))

    assert {number: await servers[0].totals(number) for number in at_closing} == at_closing
    assert sorted(at_closing) == list(range(1, CUT_OFFS + 1))
    counted = await servers[0].rows("SELECT kind, sum(obligations) FROM exchange.clearing_totals_v1 GROUP BY kind")
    # An earn, a redemption, and a conversion with its spread in each round; the first awards owed nobody anything.
    assert [row[1] for row in counted] == [rounds] * 4


async def closed_over_a_paused_poster(ledger: Ledger) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What window 1 holds when closing it returns, and in the end, where a poster had read it and not yet written."""
    ada = await ledger.member()

    async def close() -> list[tuple[object, ...]]:
        return await ledger.totals((await ledger.close_window()).window_no)

    async with paused(ledger) as pause:
        posting = asyncio.create_task(ledger.post(earn("5 TEL", "GRO", member_id=ada)))
        await pause.until_waiting("relation")
        closing = asyncio.create_task(close())
        await done_or_fenced(closing, pause)
        await pause.end()
    at_closing = await closing
    assert (await posting).transfer.window_no == 1
    return at_closing, await ledger.totals(1)


async def test_closing_waits_for_whoever_has_read_the_window(ledger: Ledger) -> None:
    """A poster stands between reading the window and writing: what it writes is there when closing returns."""
    at_closing, in_the_end = await closed_over_a_paused_poster(ledger)

    assert at_closing == in_the_end == [("GRO", "TEL", "CNY", 1, 60_000, 1)]


async def test_without_the_fence_a_movement_slips_behind_the_cut_off(ledger: Ledger) -> None:
    """The same interleaving with the fence taken away: the closed window changes, so the test above can fail."""
    await without(ledger, FENCE)

    at_closing, in_the_end = await closed_over_a_paused_poster(ledger)

    assert at_closing == []
    assert in_the_end == [("GRO", "TEL", "CNY", 1, 60_000, 1)]


async def test_who_comes_while_a_window_is_being_closed_is_in_the_next(ledger: Ledger) -> None:
    """The closer waits for a poster, and a later one waits behind the closer."""
    ada, ben = await ledger.members(2)

    async with paused(ledger) as pause:
        first = asyncio.create_task(ledger.post(earn("5 TEL", "GRO", member_id=ada)))
        await pause.until_waiting("relation")
        closing = asyncio.create_task(ledger.close_window())
        await pause.until_waiting("advisory")
        second = asyncio.create_task(ledger.post(earn("5 TEL", "GRO", member_id=ben)))
        await pause.end()
        window = await closing

    assert window.window_no == 1
    assert [(await posting).transfer.window_no for posting in (first, second)] == [1, 2]


async def test_a_window_is_closed_once_however_many_ask_for_it(servers: list[Ledger]) -> None:
    """By number a repeat is harmless: one closes, the others are told when it was and by whom."""

    async def close(server: Ledger, who: str) -> tuple[object, bool]:
        async with server.database.write() as connection:
            return await close_window(connection, 1, who)

    answers = await asyncio.gather(*(close(servers[place % 2], f"clerk {place}") for place in range(6)))

    assert sorted(was_closed for _, was_closed in answers) == [False] + [True] * 5
    assert len({window for window, _ in answers}) == 1
    numbers = await servers[0].rows("SELECT window_no, closed_at IS NULL FROM exchange.clearing_windows ORDER BY 1")
    assert [tuple(row) for row in numbers] == [(1, False), (2, True)]


async def test_a_window_that_has_not_begun_cannot_be_closed(ledger: Ledger) -> None:
    """Nor does asking for it close another."""
    with pytest.raises(ResourceNotFound):
        async with ledger.database.write() as connection:
            await close_window(connection, 2, "clerk")

    assert await ledger.value("SELECT count(*) FROM exchange.clearing_windows WHERE closed_at IS NULL") == 1


async def test_a_closing_that_is_rolled_back_never_was(ledger: Ledger) -> None:
    """Whatever else its transaction was to do failed: the window goes on, and posting with it."""
    ada = await ledger.member()

    async def close_and_fail() -> None:
        async with ledger.database.write() as connection:
            await close_window(connection, None, "clerk")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await close_and_fail()

    assert (await ledger.post(earn("5 TEL", "GRO", member_id=ada))).transfer.window_no == 1
