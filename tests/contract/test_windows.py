"""Settlement windows: cut off once and for all, listed, and netted in their order."""

from datetime import UTC

import pytest

from settlement.v1 import settlement_service_pb2 as pb
from tests.contract.pages import every_page
from tests.contract.refusals import refusal
from tests.contract.settled import finance_of, move_period_a
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import World


async def test_a_window_closes_once_and_the_next_one_takes_what_comes(own_world: World, own_server: Server) -> None:
    """Naming the number makes a repeat harmless; transfers made afterwards stand in the next window."""
    finance = await finance_of(own_world)
    await move_period_a(finance)
    before = await own_world.now()

    closed = await finance.close("windows/1")
    async with nothing_changes(own_server):
        again = await finance.close("windows/1")
    late = await finance.cast.gro.earn(finance.member, "5 TEL")
    by_word = await finance.close("windows/open")

    assert (closed.window.state, closed.next_window, closed.replayed) == (pb.Window.STATE_CLOSED, "windows/2", False)
    assert before <= closed.window.close_time.ToDatetime(UTC) <= await own_world.now()
    assert (again.window, again.next_window, again.replayed) == (closed.window, "windows/2", True)
    assert late.transfer.window == "windows/2"
    assert (by_word.window.name, by_word.next_window) == ("windows/2", "windows/3")
    (entries,) = await finance.obligations(finance.maker, "windows/2")
    assert [entry.transfer for entry in entries] == [late.transfer.name]


async def test_windows_are_listed_newest_first_page_by_page(own_world: World) -> None:
    """Whoever calls."""
    finance = await finance_of(own_world)
    for _ in range(4):
        await finance.close()

    pages = await every_page(finance.cast.gen, finance.stub.ListWindows, pb.ListWindowsRequest, 2)

    assert [[window.name for window in page.windows] for page in pages] == [
        ["windows/5", "windows/4"],
        ["windows/3", "windows/2"],
        ["windows/1"],
    ]
    assert [window.state for page in pages for window in page.windows] == [pb.Window.STATE_OPEN] + [
        pb.Window.STATE_CLOSED
    ] * 4


@pytest.mark.provokes("WINDOW_STATE")
async def test_windows_are_netted_closed_and_in_their_order(own_world: World, own_server: Server) -> None:
    """Not while open, not before the one before, and not anew once a later one was built upon it."""
    finance = await finance_of(own_world)
    await move_period_a(finance)
    await finance.close("windows/1")
    await finance.close("windows/2")

    async with nothing_changes(own_server):
        still_open = await refusal(finance.start("windows/3"))
        too_early = await refusal(finance.start("windows/2"))
    await finance.start("windows/1")
    await finance.start("windows/2")
    async with nothing_changes(own_server):
        built_upon = await refusal(finance.start("windows/1", mode=pb.NETTING_MODE_BILATERAL))

    assert still_open.metadata == {"window": "windows/3", "state": "OPEN", "needed": "CLOSED"}
    assert too_early.metadata == {"window": "windows/1", "state": "CLOSED", "needed": "CALCULATED"}
    assert built_upon.metadata == {"window": "windows/2", "state": "CALCULATED", "needed": "CLOSED"}
