"""Statements add up page by page while others post: no line is missing, none comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle, pairwise
from uuid import UUID

import pytest

from exchange.ledger import reads
from exchange.ledger.model import Command
from exchange.refusals import StateTooOld
from exchange.statements.model import Line, Page, Standing
from exchange.statements.service import Cursor, Wanted, page
from tests.integration.ledger.ledgers import Ledger, going_on
from tests.unit.rules.days import hold, release, reverse
from tests.unit.rules.rulebook import CURRENCY_NO, MERCHANT_NO, convert, earn, redeem

STANDING = """
SELECT available_units, held_units, last_sequence FROM exchange.accounts WHERE member_id = $1 AND currency_no = $2
"""


async def number_of(server: Ledger, code: str) -> int:
    """The number of a currency in this database."""
    number = (await server.api.source.current()).currency_no(code)
    assert number is not None
    return number


async def read_page(server: Ledger, wanted: Wanted, after: Page | None, size: int) -> Page:
    """The page after another one, from a server."""
    cursor = Cursor(after.lines[-1].transfer.ledger_sequence, after.closing) if after else None
    async with server.database.read() as connection:
        return await page(connection, wanted, cursor, size)


def assert_adds_up(one: Page, opening: Standing) -> None:
    """Opening and lines make closing, and the lines are numbered on from the opening."""
    assert one.opening == opening
    available = opening.available + sum(line.credited - line.debited for line in one.lines)
    held = opening.held + sum(line.reserved - line.unreserved for line in one.lines)
    assert one.closing == Standing(available, held, opening.sequence + len(one.lines))
    assert [line.after.sequence for line in one.lines] == list(range(opening.sequence + 1, one.closing.sequence + 1))


async def read_through(server: Ledger, wanted: Wanted, size: int, pages_max: int = 10**6) -> list[Line]:
    """Every line there is until a page is the last one, or so many were read; each page is held to adding up.

    Small pages never come to an end while lines are added faster than they are read.
    """
    found: list[Line] = []
    last: Page | None = None
    for _ in range(pages_max):
        one = await read_page(server, wanted, last, size)
        assert_adds_up(one, last.closing if last else Standing())
        assert len(one.lines) == size or not one.has_more
        found += one.lines
        last = one
        if not one.has_more:
            break
    return found


async def moving(stop: asyncio.Event, server: Ledger, member: UUID) -> None:
    """A caller that awards, spends, holds, gives back, converts and returns without a pause."""
    turn = 0
    while not stop.is_set():
        turn += 1
        earned, held = await asyncio.gather(
            server.post(earn("90 BNK", "GRO", member_id=member)), server.told(hold("7 BNK", member_id=member))
        )
        following: list[Command] = [convert("60 BNK", "AIR", by="BNK", member_id=member), reverse(earned.transfer, 5)]
        if not isinstance(held, Exception):
            following.append(release(held.transfer))
        await asyncio.gather(
            *(server.told(command) for command in following), server.told(redeem("3 BNK", "CAF", member_id=member))
        )


async def test_pages_add_up_while_two_servers_post(servers: list[Ledger]) -> None:
    """Four callers move one member's points; statements are read through, by pages of many sizes, as they grow."""
    ada = await servers[0].member()
    await servers[0].post(earn("10 000 BNK", "BNK", member_id=ada))
    wanted = [Wanted(ada, await number_of(servers[0], code)) for code in ("BNK", "AIR")]
    stop = asyncio.Event()
    grown: list[int] = []

    async with going_on(*(moving(stop, server, ada) for server in servers * 2)) as callers:
        for turn, size in enumerate(cycle((7, 1, 50, 3, 1_000, 2))):
            for one in wanted:
                await read_through(servers[turn % 2], one, size, pages_max=10)
            grown.append(len(await read_through(servers[turn % 2], wanted[0], 1_000)))
            if turn > 6 and grown[-1] >= 60:
                break
        stop.set()
        await asyncio.gather(*callers)

    assert len(set(grown)) > 3, "it grew while it was read"
    for one in wanted:
        found = await read_through(servers[0], one, 13)
        ((available, held, sequence),) = await servers[0].rows(STANDING, ada, one.currency_no)
        assert found[-1].after == Standing(available, held, sequence)
        assert len(found) == sequence
        assert len({line.transfer.transfer_id for line in found}) == sequence


async def test_a_copy_is_kept_by_asking_for_what_comes_after_its_last_line(servers: list[Ledger]) -> None:
    """Whoever keeps the number of the last line gets every later one, once, however the posting goes on."""
    ada = await servers[0].member()
    number = await number_of(servers[0], "BNK")
    stop = asyncio.Event()
    copy: list[Line] = []
    standing = Standing()

    async with going_on(*(moving(stop, server, ada) for server in servers * 2)) as callers:
        for turn in range(40):
            if turn == 39:
                stop.set()
                await asyncio.gather(*callers)
            wanted = Wanted(ada, number, after_sequence=standing.sequence)
            one = await read_page(servers[turn % 2], wanted, None, 1_000)
            assert_adds_up(one, standing)
            copy += one.lines
            standing = one.closing

    ((available, held, sequence),) = await servers[0].rows(STANDING, ada, number)
    assert standing == Standing(available, held, sequence)
    assert len(copy) == sequence


async def test_a_period_opens_with_what_was_before_it(ledger: Ledger) -> None:
    """Lines from an instant on and before another: all that lies before is in the opening, nothing after counts."""
    ada = await ledger.member()
    number = await number_of(ledger, "TEL")
    receipts = [await ledger.post(earn(f"{units} TEL", "GRO", member_id=ada)) for units in (100, 20, 3)]
    at = [receipt.transfer.occurred_at for receipt in receipts]
    instants = [at[0], at[1], at[2], at[2] + timedelta(microseconds=1)]

    pages = [
        await read_page(ledger, Wanted(ada, number, begins, ends), None, 10)
        for begins, ends in (*pairwise(instants), (at[1], None), (None, at[1]), (at[2], at[2]))
    ]

    assert [(one.opening.available, one.closing.available) for one in pages] == [
        (0, 100), (100, 120), (120, 123), (100, 123), (0, 100), (120, 120),
    ]  # fmt: skip
    for one in pages:
        assert_adds_up(one, one.opening)


async def test_a_state_that_lacks_a_transfer_is_not_read_for_one_that_knows_of_it(ledger: Ledger) -> None:
    """What the caller or the member did is found; another's, or what never was, is not."""
    ada, ben = await ledger.members(2)
    own = (await ledger.post(earn("5 TEL", "GRO", member_id=ada))).transfer.ledger_sequence
    elses = (await ledger.post(earn("5 TEL", "CAF", member_id=ben))).transfer.ledger_sequence
    gro, air = MERCHANT_NO["GRO"], MERCHANT_NO["AIR"]

    async def read(sequence: int, merchant_no: int | None, member: UUID | None) -> str:
        async with ledger.database.read() as connection:
            try:
                await reads.require_transfer(connection, sequence, merchant_no=merchant_no, member_id=member)
            except StateTooOld as refusal:
                return refusal.data["min_ledger_sequence"]
            return "read"

    asked: Sequence[tuple[int, int | None, UUID | None]] = [
        (0, None, None), (own, gro, ben), (own, air, ada), (own, None, ada), (elses, gro, ben), (own, gro, None),
    ]  # fmt: skip
    assert {await read(*one) for one in asked} == {"read"}
    for sequence, merchant_no, member in [(elses, gro, ada), (own, air, ben), (2**62, gro, ada), (own, None, None)]:
        assert await read(sequence, merchant_no, member) == str(sequence)


@pytest.mark.parametrize("size", [1, 4])
async def test_another_currencys_movements_are_no_lines(ledger: Ledger, size: int) -> None:
    """A conversion is a line in both statements, an award in one."""
    ada = await ledger.member()
    await ledger.post(earn("90 BNK", "GRO", member_id=ada))
    await ledger.post(earn("5 TEL", "GRO", member_id=ada))
    await ledger.post(convert("60 BNK", "AIR", by="BNK", member_id=ada))

    found = {
        code: [
            (line.credited, line.debited)
            for line in await read_through(ledger, Wanted(ada, await number_of(ledger, code)), size)
        ]
        for code in CURRENCY_NO
    }

    assert found == {"BNK": [(90, 0), (0, 60)], "AIR": [(2, 0)], "TEL": [(5, 0)]}
