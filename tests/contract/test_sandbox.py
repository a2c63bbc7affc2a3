"""SandboxService: a movable clock, where the server was started for trying things out."""

from datetime import UTC, timedelta

import pytest

from exchange.v1 import sandbox_service_pb2 as pb
from tests.contract.refusals import refusal
from tests.contract.stillness import nothing_changes
from tests.servers import Server
from tests.worlds import EARNING, World, instant


async def test_the_clock_runs_on_from_where_it_was_put(own_world: World) -> None:
    """The answer is what it is now; the coalition lives by it."""
    tomorrow = await own_world.now() + timedelta(days=1)

    request = pb.SetClockRequest(time=instant(tomorrow))
    answer = await own_world.operator.ask(own_world.stubs.sandbox.SetClock, request)

    told, read = answer.time.ToDatetime(UTC), await own_world.now()
    assert tomorrow <= told <= read < tomorrow + timedelta(hours=1)


async def test_before_anything_has_moved_the_clock_may_go_back(own_world: World) -> None:
    """So that prices and rates of a day long past can be published for it."""
    await own_world.set_clock("2026-03-01T09:00:00+08:00")

    assert (await own_world.now()).isoformat().startswith("2026-03-01T01:00:0")


async def test_once_something_moved_the_clock_only_goes_forward(own_world: World, own_server: Server) -> None:
    """An award that lies in the future would be nonsense."""
    gro = await own_world.merchant("GRO", EARNING)
    await own_world.currency("GRO", gro, issue=1)
    ada = await own_world.member("ada", [gro])
    await gro.earn(ada, "5 GRO")
    yesterday = await own_world.now() - timedelta(days=1)

    async with nothing_changes(own_server):
        refused = await refusal(own_world.set_clock(yesterday))
    await own_world.set_clock(yesterday + timedelta(days=2))

    assert (refused.reason, refused.metadata["field"]) == ("TOO_LATE", "time")


@pytest.mark.parametrize("role", ["gro", "auditor"])
async def test_anybody_may_ask_what_time_it_is(own_world: World, role: str) -> None:
    """Merchants and auditors too."""
    caller = await own_world.merchant("GRO") if role == "gro" else await own_world.auditor()

    answer = await caller.ask(own_world.stubs.sandbox.GetClock, pb.GetClockRequest())

    assert answer.time.ToDatetime(UTC) <= await own_world.now()
