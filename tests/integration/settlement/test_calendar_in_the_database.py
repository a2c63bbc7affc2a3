"""The database holds the calendar a second time: it stops whoever closes a window past the code, as the server may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from exchange.serving.checks import Violations
from settlement.api import proposal_wire
from settlement.calendar.books import is_open_by
from settlement.calendar.model import Calendar, CutOff
from settlement.calendar.rules import cut_offs
from settlement.v1 import settlement_service_pb2 as pb
from settlement.windows.service import Windows
from tests.contract.calendars import MONTHLY, WEEKLY, a_calendar, calendars, finance_with_a_calendar
from tests.contract.settled import Finance
from tests.contract.stillness import connected
from tests.integration.settlement.stopping import stopped_together
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


LATE_CUT_OFF = CUT_OFF.replace("'2030-03-06'", "'2030-04-12'")
UNADJUSTED, MODIFIED_FOLLOWING, PRECEDING = (
    pb.CurrencyCalendar.Convention.Value(f"CONVENTION_{name}")
    for name in ("UNADJUSTED", "MODIFIED_FOLLOWING", "PRECEDING")
)


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


async def test_a_window_closed_past_the_code_is_stopped(server: Server, morning: Morning) -> None:
    """Before it is due, and after: who closed it and what for is not said."""
    early = await stopped_together(server, (CLOSE, SIX - timedelta(hours=9)))
    await morning.world.set_clock(LATER)

    assert early
    assert await stopped_together(server, (CLOSE, SIX))


async def test_a_record_does_not_make_a_window_due(server: Server, morning: Morning) -> None:
    """An invented cut-off, one of another day or currency, a closing in the future, another calendar: all stopped."""
    await morning.world.set_clock(LATER)
    calendar, at = await calendar_of(server), SIX + timedelta(minutes=10)
    closed, recorded = (CLOSE, at), (RECORD, at, calendar, None)

    assert not await stopped_together(server, closed, recorded, (CUT_OFF, "CNY", SIX))
    assert await stopped_together(server, closed, recorded)
    assert await stopped_together(server, closed, recorded, (CUT_OFF, "CNY", SIX - timedelta(minutes=1)))
    assert await stopped_together(server, closed, recorded, (CUT_OFF, "USD", SIX))
    assert await stopped_together(server, closed, recorded, (CUT_OFF, "CNY", SIX - timedelta(days=300)))
    assert await stopped_together(server, closed, recorded, (CUT_OFF, "CNY", SIX), (CUT_OFF, "USD", SIX))
    assert await stopped_together(server, closed, recorded, (CUT_OFF, "CNY", SIX), (CUT_OFF, "USD", None))
    too_early = CUT_OFF.replace("2030-03-06", "2030-03-05")
    assert await stopped_together(server, closed, recorded, (too_early, "CNY", SIX))
    assert await stopped_together(server, closed, (RECORD, at, None, None), (CUT_OFF, "CNY", SIX))
    tomorrow = SIX + timedelta(days=1)
    assert await stopped_together(
        server, (CLOSE, tomorrow), (RECORD, tomorrow, calendar, None), (CUT_OFF, "CNY", tomorrow)
    )


QINGMING, SATURDAY = SIX.replace(month=4, day=5), SIX.replace(month=4, day=6)
"""A Friday on which banks in China are shut, and the day after; the Thursday before them is the last cut-off."""
RECKON = "INSERT INTO settlement.calendar_spans VALUES ($1, 'CNY', $2, $3, 'x')"
KEEP = "INSERT INTO settlement.calendar_cut_offs VALUES ($1, 'CNY', $2, $3, $3, $4)"


KEEP_MOVED = KEEP.replace("$3, $3", "$3::date, $3::date + 1")


async def test_a_window_is_not_closed_for_a_holiday_or_a_weekend(server: Server) -> None:
    """At the right time of day, with everything written beside it; nor by writing that the holiday were a cut-off."""
    async with a_world(server.address, server.operator_secret) as world:
        await finance_with_a_calendar(world, a_calendar(holidays=["CN"]))
        await world.set_clock(SATURDAY.isoformat())
        calendar = await calendar_of(server)

    for shut in (QINGMING, SATURDAY):
        done = ((CLOSE, shut), (RECORD, shut, calendar, None))
        paid = shut.date() + timedelta(days=5)
        assert not await stopped_together(server, *done, (LATE_CUT_OFF, "CNY", SIX.replace(month=4, day=4)))
        assert await stopped_together(server, *done, (LATE_CUT_OFF, "CNY", shut))
        kept = (KEEP, calendar, shut, shut.date(), paid)
        assert await stopped_together(server, kept)
        again = (RECKON, calendar, shut - timedelta(minutes=1), shut)
        assert await stopped_together(server, again, kept, *done, (LATE_CUT_OFF, "CNY", shut))


async def test_what_is_reckoned_later_follows_on_and_is_by_the_calendar(server: Server, morning: Morning) -> None:
    """Beyond the dates that are kept: no gap, and no cut-off at another time, on another day, or paid too early.

    Nor are dates written down for years to come: what the books will say then nobody knows.
    """
    calendar = await calendar_of(server)
    async with connected(server.url) as connection:
        until = await connection.fetchval("SELECT max(until) FROM settlement.calendar_spans")
    await morning.world.set_clock((until - timedelta(days=70, hours=12)).isoformat())
    monday = next(SIX + timedelta(weeks=week) for week in range(99) if SIX + timedelta(weeks=week) > until)
    on, day = (RECKON, calendar, until, until + timedelta(days=30)), monday.date()

    assert not await stopped_together(server, on, (KEEP, calendar, monday, day, day + timedelta(days=2)))
    assert await stopped_together(server, (RECKON, calendar, until, until + timedelta(days=31)))
    assert await stopped_together(server, (RECKON, calendar, until, until + timedelta(days=3_650)))
    gap = (RECKON, calendar, until + timedelta(days=1), until + timedelta(days=30))
    assert await stopped_together(server, gap)
    assert await stopped_together(server, (RECKON, calendar, until - timedelta(days=1), until + timedelta(days=30)))
    assert await stopped_together(server, (RECKON.replace("CNY", "USD"), calendar, until, until + timedelta(days=30)))
    later, sunday = monday + timedelta(minutes=1), monday - timedelta(days=1)
    assert await stopped_together(server, on, (KEEP, calendar, later, day, day + timedelta(days=2)))
    assert await stopped_together(server, on, (KEEP, calendar, monday, day, day + timedelta(days=1)))
    assert await stopped_together(server, on, (KEEP, calendar, monday, sunday.date(), day + timedelta(days=2)))
    assert await stopped_together(server, on, (KEEP, calendar, sunday, sunday.date(), day + timedelta(days=2)))
    assert await stopped_together(server, on, (KEEP_MOVED, calendar, monday, day, day + timedelta(days=2)))


async def test_every_date_the_code_reckons_the_database_keeps(server: Server, finance: Finance) -> None:
    """Over two turns of the year, a leap day and nights on which clocks change; what is shown is what is kept."""
    agreed = {
        "CNY": a_calendar(holidays=["CN"]),
        "EUR": a_calendar("EUR", time_zone="Europe/Berlin", cut_off_time="02:30", frequency=WEEKLY, weekday=7,
                          convention=UNADJUSTED, holidays=["market:XECB"]),
        "USD": a_calendar("USD", time_zone="America/Havana", cut_off_time="00:00", open_dates=["2027-03-14"]),
        "JPY": a_calendar("JPY", time_zone="Asia/Tokyo", frequency=MONTHLY, month_day=31, holidays=["JP"],
                          convention=MODIFIED_FOLLOWING, closed_dates=["2027-12-31"]),
        "GBP": a_calendar("GBP", time_zone="Europe/London", frequency=MONTHLY, month_day=29, holidays=["GB-ENG"],
                          convention=PRECEDING, cut_off_time="23:59", pay_lag_days=0),
    }  # fmt: skip
    start = datetime.fromisoformat("2026-12-01T00:00:00+00:00")
    await finance.cast.world.set_clock(start.isoformat())
    await finance.agree(calendars(*agreed.values()))
    windows, held = Windows(server.api.database), await calendar_of(server)
    for day in ("2027-02-20", "2027-05-25", "2028-06-01"):
        await finance.cast.world.set_clock(f"{day}T00:00:00+00:00")
        await windows.keep_dates()

    async with connected(server.url) as connection:
        rows = await connection.fetch("SELECT * FROM settlement.calendar_cut_offs WHERE calendar = $1", held)
        until = await connection.fetchval("SELECT min(until) FROM settlement.calendar_spans WHERE until > now()")
    kept = {CutOff(*[*row.values()][1:6])._replace(kept=True) for row in rows}
    check = Violations()
    document = proposal_wire.content(check, calendars(*agreed.values()))
    assert isinstance(document, Calendar)
    first, last = min(one.at for one in kept), max(one.at for one in kept)
    reckoned = {
        each._replace(kept=True) for one in document.currencies for each in cut_offs(one, is_open_by(one), first, last)
    }
    assert {one for one in kept if one.at > first} == reckoned
    assert last > start + timedelta(days=600) > until
    shown = await windows.upcoming(3)
    assert {one for one in shown if one.kept} == {one for one in shown if one in kept}
    assert len(shown) == 15
    assert await windows.outdated() == {}


async def test_what_was_announced_holds_when_a_later_edition_says_otherwise(
    server: Server, morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window is due as it was; finance is told that the books differ, and from when on."""
    monkeypatch.setattr("settlement.windows.kept.is_open_by", lambda _: lambda day: day.isoweekday() in {3, 4})

    windows = Windows(server.api.database)
    found, differing = await windows.upcoming(1), await windows.outdated()
    await morning.world.set_clock(SIX.isoformat())

    assert [one.at for one in found] == [SIX]
    assert differing == {"CNY": SIX}
    closed = await morning.finance.close("windows/2")
    assert closed.window.cut_offs[0].time.ToDatetime(UTC) == SIX


async def test_leave_counts_when_another_person_gave_it_and_for_its_window(server: Server, morning: Morning) -> None:
    """Not while it waits; not another window's."""
    calendar, at = await calendar_of(server), SIX - timedelta(hours=9)
    asked = await morning.finance.propose(pb.Proposal(special_closing=pb.SpecialClosing(window="windows/2")))
    leave = UUID(asked.name.removeprefix("proposals/"))

    waiting = await stopped_together(server, (CLOSE, at), (RECORD, at, calendar, leave))
    other = await stopped_together(server, (CLOSE, at), (RECORD, at, calendar, calendar))
    await morning.finance.approve_proposal(asked)

    assert waiting
    assert other
    assert not await stopped_together(server, (CLOSE, at), (RECORD, at, calendar, leave))


async def test_without_a_calendar_windows_are_closed_as_ever(server: Server, finance: Finance) -> None:
    """When somebody closes them."""
    del finance

    assert not await stopped_together(server, (CLOSE, SIX))


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
