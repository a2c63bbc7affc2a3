"""What keeps a large ledger as fast as a small one answers as if nothing had been left out."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from exchange.db import migrate
from exchange.ledger import reads
from exchange.ledger.audit_windows import WINDOW_CHECKS
from exchange.ledger.model import Command, Transfer
from exchange.ledger.sql import LOTS_AT_FIRST
from exchange.statements.service import Wanted, page
from tests.integration.ledger.ledgers import Ledger, at_once, in_turn, moved, reasons
from tests.unit.rules.rulebook import earn, redeem

LOTS = 2 * LOTS_AT_FIRST + 3
LEFT = "SELECT remaining_units FROM exchange.lots WHERE is_open"
BOUNDS = "SELECT first_sequence FROM exchange.clearing_windows ORDER BY window_no"
READ_SO_FAR = text(
    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    " WHERE schemaname = 'exchange' AND relname LIKE 'transfers%'"
)
VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


async def everything(ledger: Ledger, window_no: int | None = None, merchant_no: int | None = None) -> list[Transfer]:
    """The ledger, or a window of it, in order; two at a time."""
    found: list[Transfer] = []
    while True:
        async with ledger.database.read() as connection:
            page = await reads.transfers(
                connection,
                merchant_no=merchant_no,
                member_id=None,
                window_no=window_no,
                reference=None,
                after=found[-1].ledger_sequence if found else -1,
                limit=2,
            )
        found += page
        if len(page) < 2:
            return found


async def test_a_spend_reaches_past_the_lots_that_are_looked_at_first(servers: list[Ledger]) -> None:
    """Lots of 10 each: all but 5 points of them go in one spend, one point more than is left is refused."""
    ada = await servers[0].member()
    for _ in range(LOTS):
        await servers[0].post(earn("10 AIR", "AIR", member_id=ada))

    spent = await servers[0].post(redeem(f"{10 * LOTS - 5} AIR", "CAF", member_id=ada))
    refused = await servers[0].told(redeem("6 AIR", "CAF", member_id=ada))

    assert len({leg.lot_id for leg in spent.transfer.legs if leg.lot_id is not None}) == LOTS
    assert [row[0] for row in await servers[0].rows(LEFT)] == [5]
    assert reasons([refused]) == ["INSUFFICIENT_POINTS"]
    assert await servers[0].balances(ada) == {"AIR": 5}


async def test_many_spends_at_once_use_up_more_lots_than_are_looked_at_first(servers: list[Ledger]) -> None:
    """Together they ask for a point of each lot more than there is: the exact number of them fits."""
    ada, ben = await servers[0].members(2)
    awards: list[Command] = [earn("3 AIR", "AIR", member_id=who) for _ in range(LOTS) for who in (ada, ben)]
    await at_once(*in_turn(servers, awards))
    asked: list[Command] = [redeem("3 AIR", "CAF", member_id=who) for _ in range(LOTS + 5) for who in (ada, ben)]

    answers = await at_once(*in_turn(servers, asked))

    assert len(moved(answers)) == 2 * LOTS
    assert set(reasons(answers)) == {"INSUFFICIENT_POINTS"}
    assert await servers[0].rows(LEFT) == []


async def test_each_window_lists_its_own_transfers(servers: list[Ledger]) -> None:
    """Of all merchants and of one; together they are the ledger, and a window that nobody used is empty."""
    ledger = servers[0]
    ada = await ledger.member()
    for posted in (3, 2, 0, 3):
        for number in range(posted):
            await ledger.post(earn("10 AIR", "CAF" if number else "AIR", member_id=ada))
        await ledger.close_window()

    whole = await everything(ledger)
    windows = [await everything(ledger, number) for number in range(1, 7)]

    assert [len(window) for window in windows] == [3, 2, 0, 3, 0, 0]
    assert [one for window in windows for one in window] == whole
    assert whole == sorted(whole, key=lambda one: one.ledger_sequence)
    caf = whole[1].merchant_no
    assert [len(await everything(ledger, number, caf)) for number in range(1, 6)] == [2, 1, 0, 2, 0]


async def test_windows_from_before_are_given_the_place_they_have(servers: list[Ledger]) -> None:
    """Filled anew from the transfers, no window begins later than its transfers or before those of the one before."""
    ledger = servers[0]
    ada = await ledger.member()
    for _ in range(3):
        await ledger.post(earn("10 AIR", "CAF", member_id=ada))
        await ledger.close_window()
    kept = [row[0] for row in await ledger.rows(BOUNDS)]
    (migration,) = VERSIONS.glob("*_window_bounds.sql")
    fill = migration.read_text(encoding="utf-8").split(";\n\n")[1]

    await ledger.rows("UPDATE exchange.clearing_windows SET first_sequence = 0")
    await ledger.rows(fill)

    filled = [row[0] for row in await ledger.rows(BOUNDS)]
    assert all(earlier < later for earlier, later in pairwise(filled))
    assert all(new <= old for new, old in zip(filled, kept, strict=True))
    assert await ledger.rows(WINDOW_CHECKS["every transfer lies where its window does"]) == []


async def test_a_statement_from_an_instant_has_every_line_since_whatever_the_window(servers: list[Ledger]) -> None:
    """From each movement's own instant, and from the moment after it: the lines, and what they began with."""
    ledger = servers[0]
    ada = await ledger.member()
    for _ in range(3):
        for _ in range(2):
            await ledger.post(earn("10 AIR", "AIR", member_id=ada))
        await ledger.close_window()
    posted = await everything(ledger)
    currency_no = posted[0].legs[0].currency_no

    for moment in sorted({one.occurred_at + late for one in posted for late in (timedelta(0), timedelta.resolution)}):
        async with ledger.database.read() as connection:
            found = await page(connection, Wanted(ada, currency_no, begins=moment), None, 10)
        since = [one.ledger_sequence for one in posted if one.occurred_at >= moment]
        assert [line.transfer.ledger_sequence for line in found.lines] == since
        assert found.opening.available == 10 * (len(posted) - len(since))


async def read_so_far(connection: AsyncConnection) -> int:
    """How many transfers this connection has read of late."""
    return int((await connection.execute(READ_SO_FAR)).scalar_one())


async def test_a_page_of_a_member_reads_no_more_than_it_shows(servers: list[Ledger]) -> None:
    """However many transfers the member has, and whoever asks: among so many members that each seems to have none."""
    ledger = servers[0]
    ada, *others = await ledger.members(40)
    awards = [earn("1 AIR", "AIR", member_id=who) for _ in range(12) for who in (ada, *others)]
    await ledger.api.poster.post_all(awards, atomic=False)
    await ledger.rows("ANALYZE exchange.transfers")
    posted = [one for one in await everything(ledger) if one.member_id == ada]

    for merchant_no in (None, posted[0].merchant_no):
        async with ledger.database.read() as connection:
            before = await read_so_far(connection)
            found = await reads.transfers(
                connection,
                merchant_no=merchant_no,
                member_id=ada,
                window_no=None,
                reference=None,
                after=posted[3].ledger_sequence,
                limit=2,
            )
            assert list(found) == posted[4:6]
            assert await read_so_far(connection) - before <= 4
    async with ledger.database.read() as connection:
        before = await read_so_far(connection)
        shown = await page(connection, Wanted(ada, posted[0].legs[0].currency_no), None, 2)
        assert [line.transfer for line in shown.lines] == posted[:2]
        assert await read_so_far(connection) - before <= 4
