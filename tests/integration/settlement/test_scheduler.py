"""The scheduler closes windows when they are due and nets them: late, at once from many sides, and after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from exchange.db.engine import Database
from settlement.run.service import Runs
from settlement.v1 import settlement_service_pb2 as pb
from settlement.windows.scheduler import SCHEDULER, Done, Scheduler
from settlement.windows.service import Windows
from tests.contract.calendars import MONDAY, calendars, finance_with_a_calendar
from tests.contract.settled import Finance, finance_of
from tests.contract.stillness import nothing_changes
from tests.servers import Server, a_server
from tests.worlds import World, a_world


class Morning(NamedTuple):
    """A coalition on a Monday morning; its second window is due at 18:00."""

    world: World
    finance: Finance
    scheduler: Scheduler


@pytest.fixture
async def morning(server: Server) -> AsyncIterator[Morning]:
    """The first window is netted, and GRO owes TEL in the second."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_with_a_calendar(world)
        await finance.start("windows/1")
        await finance.cast.gro.earn(finance.member, "500 TEL")
        yield Morning(world, finance, Scheduler(server.api.database))


async def window(finance: Finance, name: str) -> pb.Window:
    """A window as it stands."""
    found: pb.Window = (await finance.maker.ask(finance.stub.GetWindow, pb.GetWindowRequest(name=name))).window
    return found


async def test_without_a_calendar_nothing_is_ever_due(server: Server, finance: Finance) -> None:
    """The closed first window is not netted either: that is for whoever closed it."""
    assert (await window(finance, "windows/1")).state == pb.Window.STATE_CLOSED

    async with nothing_changes(server):
        assert await Scheduler(server.api.database).look() == Done((), ())


async def test_a_window_is_closed_and_netted_when_it_is_due(server: Server, morning: Morning) -> None:
    """Not before, and once; by nobody, so that whoever likes may submit and approve it."""
    async with nothing_changes(server):
        too_early = await morning.scheduler.look()
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")
    on_time = await morning.scheduler.look()
    async with nothing_changes(server):
        again = await morning.scheduler.look()

    assert (too_early, on_time, again) == (Done((), ()), Done((2,), (2,)), Done((), ()))
    closed = await window(morning.finance, "windows/2")
    run = await morning.finance.read(pb.Run(name=closed.run))
    assert (closed.closed_by, run.created_by, run.steps[0].person) == (SCHEDULER.name, SCHEDULER.name, "")
    assert run.summaries[0].paid_minor_units == 600
    assert run.state == pb.Run.STATE_CALCULATED


async def test_cut_offs_that_nobody_saw_close_one_window_late(morning: Morning) -> None:
    """Down from Monday noon to Thursday noon: three cut-offs, one window, paid from Thursday on."""
    await morning.world.set_clock("2030-03-07T12:00:00+08:00")

    done = await morning.scheduler.look()

    closed = await window(morning.finance, "windows/2")
    assert done == Done((2,), (2,))
    assert [(one.time.ToJsonString(), one.pay_date) for one in closed.cut_offs] == [
        ("2030-03-06T10:00:00Z", "2030-03-11")
    ]
    assert (await window(morning.finance, "windows/open")).due_time.ToJsonString() == "2030-03-07T10:00:00Z"


async def test_many_schedulers_at_once_close_a_window_once(server: Server, morning: Morning) -> None:
    """Of several processes one closes and one nets; nobody closes the next window in the other's stead."""
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")
    databases = [Database(server.url) for _ in range(4)]
    try:
        done = await asyncio.gather(*(Scheduler(database).look() for database in databases for _ in range(2)))
    finally:
        for database in databases:
            await database.dispose()

    assert sorted(one.closed for one in done) == [()] * 7 + [(2,)]
    assert sorted(one.netted for one in done) == [()] * 7 + [(2,)]
    assert (await window(morning.finance, "windows/open")).name == "windows/3"


async def test_a_scheduler_that_dies_between_two_steps_leaves_the_rest_to_the_next(
    server: Server, morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed and not netted: the next look nets it. Died while closing: it was not closed."""
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")

    async def dies(*_: object, **__: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr("settlement.windows.service._note", dies)
        with pytest.raises(ConnectionResetError):
            await morning.scheduler.look()
    assert (await window(morning.finance, "windows/open")).name == "windows/2"
    with monkeypatch.context() as broken:
        broken.setattr(Runs, "start", dies)
        with pytest.raises(ConnectionResetError):
            await morning.scheduler.look()

    assert (await window(morning.finance, "windows/2")).state == pb.Window.STATE_CLOSED
    assert await Scheduler(server.api.database).look() == Done((), (2,))


async def test_what_somebody_netted_or_rejected_is_left_alone(server: Server, morning: Morning) -> None:
    """A person's run is not replaced by the terms', and after a no somebody has to look at it."""
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")
    await Windows(server.api.database).close(2, SCHEDULER)
    mine = (await morning.finance.start("windows/2", mode=pb.NETTING_MODE_BILATERAL)).run

    assert await morning.scheduler.look() == Done((), ())
    assert (await window(morning.finance, "windows/2")).run == mine.name
    first = await morning.finance.approve(
        await morning.finance.submit((await morning.finance.start("windows/1")).run),
    )
    assert first.state == pb.Run.STATE_APPROVED
    await morning.finance.reject(await morning.finance.submit(mine))
    await morning.world.set_clock("2030-03-05T18:00:00+08:00")
    assert await morning.scheduler.look() == Done((3,), ())
    assert (await window(morning.finance, "windows/2")).run == ""


async def test_a_scheduler_does_not_net_over_a_person_who_was_quicker(server: Server, morning: Morning) -> None:
    """It asks for the first run only: between its looking and its netting somebody may have netted otherwise."""
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")
    await Windows(server.api.database).close(2, SCHEDULER)
    looked = asyncio.Event()
    runs = morning.scheduler._runs
    start = runs.start

    async def after_somebody_else(*arguments: object, **options: object) -> object:
        await morning.finance.start("windows/2", mode=pb.NETTING_MODE_BILATERAL)
        looked.set()
        return await start(*arguments, **options)  # type: ignore[arg-type]

    runs.start = after_somebody_else  # type: ignore[method-assign, assignment]

    assert await morning.scheduler.look() == Done((), ())
    assert looked.is_set()
    run = await morning.finance.read(pb.Run(name=(await window(morning.finance, "windows/2")).run))
    assert run.configuration.mode == pb.NETTING_MODE_BILATERAL


async def test_a_serving_process_looks_by_itself(server: Server, morning: Morning) -> None:
    """Every so many seconds, as its setting says; a second server does it while the first serves."""
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")

    async with a_server(server.url, operator_secret=server.operator_secret, windows_seconds=0.05):
        while (await window(morning.finance, "windows/2")).state != pb.Window.STATE_CALCULATED:
            await asyncio.sleep(0.05)

    assert (await window(morning.finance, "windows/2")).closed_by == SCHEDULER.name


async def test_what_moves_while_a_window_is_closed_by_the_calendar_is_in_one_window(morning: Morning) -> None:
    """Points go on moving while it looks: each transfer stands in the second window or in the third."""
    await morning.world.set_clock("2030-03-04T18:00:00+08:00")
    gro, member = morning.finance.cast.gro, morning.finance.member

    async def earn_on() -> list[str]:
        return [(await gro.earn(member, "5 TEL")).transfer.window for _ in range(20)]

    *movers, done = await asyncio.gather(earn_on(), earn_on(), morning.scheduler.look())

    windows = [name for mover in movers for name in mover]
    assert done == Done((2,), (2,))
    assert set(windows) <= {"windows/2", "windows/3"}
    for name in ("windows/2", "windows/3"):
        found = await morning.finance.obligations(morning.finance.maker, name)
        assert len(found[0]) == windows.count(name) + (name == "windows/2")


async def test_a_coalition_may_agree_on_a_calendar_late(server: Server) -> None:
    """Windows closed before it are netted by it, in their order, as if somebody had done so."""
    async with a_world(server.address, server.operator_secret) as world:
        finance = await finance_of(world)
        await finance.close("windows/1")
        await finance.close("windows/2")
        await world.set_clock(MONDAY)
        await finance.agree(calendars())

        done = await Scheduler(server.api.database).look()

    assert done == Done((3,), (1, 2, 3))
