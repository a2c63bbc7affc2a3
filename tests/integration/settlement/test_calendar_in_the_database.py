"""The database holds the calendar a second time: it stops whoever closes a window past the code, as the server may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest

from exchange.db.engine import SERVER_ROLE
from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.calendars import finance_with_a_calendar
from tests.contract.settled import Finance
from tests.contract.stillness import connected, nothing_changes
from tests.servers import Server
from tests.worlds import World, a_world

SIX = datetime.fromisoformat("2030-03-04T18:00:00+08:00")
LATER = "2030-03-04T18:20:00+08:00"
CLOSE = "UPDATE exchange.clearing_windows SET closed_at = $1, closed_by = 'x' WHERE window_no = 2"
RECORD = """
INSERT INTO settlement.window_closings (window_no, actor, person, at, calendar, edition, leave)
VALUES (2, 'x', NULL, $1, $2, '', $3)
"""
CUT_OFF = """
INSERT INTO settlement.window_cut_offs (window_no, currency_code, cut_off_at, pay_day)
VALUES (2, $1, $2, '2030-03-06')
"""


class Morning(NamedTuple):
    """Monday at nine: the second window is due at six in the evening."""

    world: World
    finance: Finance


@pytest.fixture
async def morning(server: Server) -> AsyncIterator[Morning]:
    """A calendar holds."""
    async with a_world(server.address, server.operator_secret) as world:
        yield Morning(world, await finance_with_a_calendar(world))


async def calendar_of(server: Server) -> UUID:
    """The calendar that holds."""
    async with connected(server.url) as connection:
        found: UUID = await connection.fetchval("SELECT settlement.in_force('CALENDAR')")
        return found


async def stopped(server: Server, *statements: tuple[str, *tuple[object, ...]]) -> bool:
    """Whether the database refuses a transaction of the role that serves requests; it is rolled back anyway."""
    async with connected(server.url) as connection, nothing_changes(server):
        await connection.execute(f"SET ROLE {SERVER_ROLE}")
        transaction = connection.transaction()
        await transaction.start()
        try:
            for statement, *arguments in statements:
                await connection.execute(statement, *arguments)
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except asyncpg.IntegrityConstraintViolationError:
            return True
        finally:
            await transaction.rollback()
        return False


async def test_a_window_closed_past_the_code_is_stopped(server: Server, morning: Morning) -> None:
    """Before it is due, and after: who closed it and what for is not said."""
    early = await stopped(server, (CLOSE, SIX - timedelta(hours=9)))
    await morning.world.set_clock(LATER)

    assert early
    assert await stopped(server, (CLOSE, SIX))


async def test_a_record_does_not_make_a_window_due(server: Server, morning: Morning) -> None:
    """An invented cut-off, one of another day or currency, a closing in the future, another calendar: all stopped."""
    await morning.world.set_clock(LATER)
    calendar, at = await calendar_of(server), SIX + timedelta(minutes=10)
    closed, recorded = (CLOSE, at), (RECORD, at, calendar, None)

    assert not await stopped(server, closed, recorded, (CUT_OFF, "CNY", SIX))
    assert await stopped(server, closed, recorded)
    assert await stopped(server, closed, recorded, (CUT_OFF, "CNY", SIX - timedelta(minutes=1)))
    assert await stopped(server, closed, recorded, (CUT_OFF, "USD", SIX))
    assert await stopped(server, closed, recorded, (CUT_OFF, "CNY", SIX - timedelta(days=300)))
    assert await stopped(server, closed, (RECORD, at, None, None), (CUT_OFF, "CNY", SIX))
    tomorrow = SIX + timedelta(days=1)
    assert await stopped(server, (CLOSE, tomorrow), (RECORD, tomorrow, calendar, None), (CUT_OFF, "CNY", tomorrow))


async def test_leave_counts_when_another_person_gave_it_and_for_its_window(server: Server, morning: Morning) -> None:
    """Not while it waits; not another window's."""
    calendar, at = await calendar_of(server), SIX - timedelta(hours=9)
    asked = await morning.finance.propose(pb.Proposal(special_closing=pb.SpecialClosing(window="windows/2")))
    leave = UUID(asked.name.removeprefix("proposals/"))

    waiting = await stopped(server, (CLOSE, at), (RECORD, at, calendar, leave))
    other = await stopped(server, (CLOSE, at), (RECORD, at, calendar, calendar))
    await morning.finance.approve_proposal(asked)

    assert waiting
    assert other
    assert not await stopped(server, (CLOSE, at), (RECORD, at, calendar, leave))


async def test_without_a_calendar_windows_are_closed_as_ever(server: Server, finance: Finance) -> None:
    """When somebody closes them."""
    del finance

    assert not await stopped(server, (CLOSE, SIX))


@pytest.mark.parametrize(
    ("zone", "cut_off", "at", "is_one"),
    [
        ("Asia/Shanghai", "18:00", "2030-03-04T10:00:00+00:00", True),
        ("Asia/Shanghai", "18:00", "2030-03-04T10:00:01+00:00", False),
        ("Europe/Berlin", "18:00", "2030-07-01T16:00:00+00:00", True),
        ("Europe/Berlin", "18:00", "2030-07-01T17:00:00+00:00", False),
        ("Europe/Berlin", "02:30", "2030-03-31T01:30:00+00:00", True),
        ("Europe/Berlin", "02:30", "2030-10-27T00:30:00+00:00", True),
    ],
    ids=["on time", "a second late", "in summer", "an hour late", "skipped by the clock", "struck first"],
)
async def test_a_time_of_day_is_the_currencys_own(
    server: Server, zone: str, cut_off: str, at: str, *, is_one: bool
) -> None:
    """As the calendar reckons it, also on days on which clocks are changed."""
    document = f'{{"currencies": [{{"currency": "CNY", "time_zone": "{zone}", "cut_off": "{cut_off}"}}]}}'
    async with connected(server.url) as connection:
        found = await connection.fetchval(
            "SELECT settlement.is_cut_off_time($1, 'CNY', $2)", document, datetime.fromisoformat(at)
        )

    assert found is is_one
