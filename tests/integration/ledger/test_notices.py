"""Notices made exactly once: by several at once, killed in the middle, on the day they are due."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from exchange.notices import service
from exchange.notices.service import Notices
from tests.integration.ledger.ledgers import OPERATOR, Ledger, a_server_on, issue_idle
from tests.unit.rules.rulebook import earn

DAY = timedelta(days=1)
MADE = "SELECT detail->>'member', (detail->>'units')::int, (detail->>'days')::int FROM exchange.events WHERE kind = 10"


async def noon(ledger: Ledger, days: int = 0) -> datetime:
    """Noon of the coalition's today, or of so many days later."""
    today: datetime = await ledger.value(
        "SELECT (exchange.coalition_now() AT TIME ZONE 'Asia/Shanghai')::date::timestamp AT TIME ZONE 'Asia/Shanghai'"
    )
    return today + DAY / 2 + days * DAY


async def made(ledger: Ledger) -> list[tuple[str, int, int]]:
    """Notices there are: member, points, mark."""
    return sorted(tuple(row) for row in await ledger.rows(MADE))


async def test_what_ends_on_one_day_is_told_at_each_mark_once(ledger: Ledger) -> None:
    """Two lots of a day are one notice; a lot of another day has its own; running again tells nothing new."""
    ada = await ledger.member()
    ends = await noon(ledger, 40)
    for points, when in (("5 TEL", ends), ("6 TEL", ends + DAY / 4), ("7 TEL", ends + DAY)):
        await ledger.post(earn(points, "GRO", expires=when, member_id=ada))
    notices = ledger.api.notices

    counts = []
    for left in (31, 30, 29, 7, 6, 1, 0):
        await ledger.api.changes.set_clock(OPERATOR, ends - left * DAY)
        counts.append((await notices.run(), await notices.run()))

    assert counts == [(0, 0), *[(1, 0)] * 6]
    assert await made(ledger) == sorted((str(ada), units, days) for units in (11, 7) for days in (30, 7, 1))


async def test_what_is_spent_or_was_awarded_after_the_mark_is_not_told(ledger: Ledger) -> None:
    """Who was just given points for ten days need not hear that they last less than thirty."""
    ada = await ledger.member()
    await ledger.post(earn("5 TEL", "GRO", expires=await noon(ledger, 10), member_id=ada))

    at_once = await ledger.api.notices.run()
    await ledger.api.changes.set_clock(OPERATOR, await noon(ledger, 3))
    later = await ledger.api.notices.run()

    assert (at_once, later) == (0, 1)
    assert await made(ledger) == [(str(ada), 5, 7)]


async def test_points_that_end_by_inactivity_are_told_of_and_told_again_when_something_was_done(ledger: Ledger) -> None:
    """Ten idle days: seven and one day before; what is done on the fifth day puts all of it off."""
    await issue_idle(ledger)
    ada = await ledger.member()
    # Tomorrow's: today's is over for half of the day, and clocks are not put back.
    begin = await noon(ledger, 1)
    await ledger.api.changes.set_clock(OPERATOR, begin)
    await ledger.post(earn("4 END", "GRO", member_id=ada))
    counts = []

    for day in range(1, 16):
        await ledger.api.changes.set_clock(OPERATOR, begin + day * DAY)
        if day == 5:
            await ledger.post(earn("2 END", "GRO", member_id=ada))
        counts.append(await ledger.api.notices.run())

    assert [day for day, count in enumerate(counts, 1) if count] == [3, 8, 14]
    assert sum(counts) == 3
    assert await made(ledger) == sorted([(str(ada), 4, 7), (str(ada), 6, 7), (str(ada), 6, 1)])


async def test_several_at_once_make_each_notice_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers and four runs, a few notices at a time."""
    monkeypatch.setattr(service, "AT_ONCE", 3)
    members = await ledger.members(20)
    ends = await noon(ledger, 40)
    for member in members:
        await ledger.post(earn("5 TEL", "GRO", expires=ends, member_id=member))
    await ledger.api.changes.set_clock(OPERATOR, ends - 30 * DAY)

    async with a_server_on(ledger.url) as other:
        counts = await asyncio.gather(*(Notices(one.database).run() for one in (ledger, other) * 2))

    assert sum(counts) == 20
    assert await made(ledger) == sorted((str(member), 5, 30) for member in members)


async def test_a_run_that_dies_is_gone_on_with(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each of its transactions; what was made stays, the rest is made by the next run."""
    monkeypatch.setattr(service, "AT_ONCE", 3)
    members = await ledger.members(10)
    ends = await noon(ledger, 40)
    for member in members:
        await ledger.post(earn("5 TEL", "GRO", expires=ends, member_id=member))
    await ledger.api.changes.set_clock(OPERATOR, ends - 30 * DAY)

    def die(_: int) -> None:
        raise ZeroDivisionError

    for _ in range(4):
        with pytest.raises(ZeroDivisionError):
            await ledger.api.notices.run(die)

    assert await ledger.api.notices.run() == 0
    assert await made(ledger) == sorted((str(member), 5, 30) for member in members)
