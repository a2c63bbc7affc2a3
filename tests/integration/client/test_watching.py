"""A watch goes on where it was: through cut connections, silence and programs that begin anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from exchange.client import watching
from exchange.client.reasons import CredentialUnknown, InvalidCursor
from exchange.v1.event_service_pb2 import Event, ListEventsRequest, WatchEventsRequest
from tests.contract.cables import Cable, a_cable
from tests.integration.client.sides import SIDES, Side, a_side
from tests.movements import Member
from tests.servers import Server
from tests.worlds import EARNING, Merchant, World

TRANSFER = Event.KIND_TRANSFER


@pytest.fixture(scope="module")
async def tel(world: World) -> Merchant:
    """A merchant that issues TEL and awards it."""
    tel = await world.merchant("TEL", EARNING)
    await world.currency("TEL", tel, issue=12_000)
    return tel


@pytest.fixture
async def ada(world: World, tel: Merchant) -> Member:
    """A new member of TEL's."""
    return await world.member("ada", [tel])


@pytest.fixture(params=SIDES)
async def far_side(request: pytest.FixtureRequest, server: Server, tel: Merchant) -> AsyncIterator[tuple[Side, Cable]]:
    """TEL's program at the other end of a cable."""
    async with a_cable(f"postgresql://{server.address}") as cable:
        address = f"127.0.0.1:{make_url(cable.url).port}"
        async with a_side(request.param, address, tel.secret) as side:
            yield side, cable


async def awards(tel: Merchant, ada: Member, count: int) -> list[str]:
    """The names of so many new transfers."""
    return [(await tel.earn(ada, "1 TEL")).transfer.name for _ in range(count)]


async def start_of(side: Side) -> str:
    """A cursor from which what happens from now on follows."""
    answer = await side.ask("events", "ListEvents", ListEventsRequest(from_now=True))
    return str(answer.cursor)


async def test_a_watch_tells_what_happens_in_its_order(
    far_side: tuple[Side, Cable], tel: Merchant, ada: Member
) -> None:
    """From a cursor on, of the kinds wanted; its own cursor is that of what was dealt with."""
    side, _ = far_side
    watch = side.client.watch(await start_of(side), kinds=[TRANSFER])
    made = await awards(tel, ada, 3)

    events = await side.first_events(watch, 3)

    assert [event.resource for event in events] == made
    # The third was handed over, and nobody has said yet that it was dealt with.
    assert watch.cursor == events[1].cursor


async def test_a_watch_goes_on_after_a_cut(far_side: tuple[Side, Cable], tel: Merchant, ada: Member) -> None:
    """What happened meanwhile is told, and nothing twice to a program that lives on."""
    side, cable = far_side
    told: asyncio.Queue[str] = asyncio.Queue()
    watching_it = side.keep_telling(side.client.watch(await start_of(side), kinds=[TRANSFER]), told)
    before = await awards(tel, ada, 2)
    seen = [await told.get() for _ in before]

    await cable.cut()
    meanwhile = await awards(tel, ada, 2)
    await cable.mend()
    seen += [await told.get() for _ in meanwhile]
    after = await awards(tel, ada, 2)
    seen += [await told.get() for _ in after]

    assert seen == before + meanwhile + after
    watching_it.cancel()


async def test_a_program_that_begins_anew_goes_on_from_its_cursor(
    far_side: tuple[Side, Cable], tel: Merchant, ada: Member
) -> None:
    """With the event it was at: at least once."""
    side, _ = far_side
    watch = side.client.watch(await start_of(side), kinds=[TRANSFER])
    made = await awards(tel, ada, 3)
    await side.first_events(watch, 2)

    events = await side.first_events(side.client.watch(watch.cursor, kinds=[TRANSFER]), 2)

    assert [event.resource for event in events] == made[1:]


async def test_a_silent_connection_is_given_up(
    server: Server, tel: Merchant, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sign of life for too long: the server is asked anew from where the watch was, and nothing is lost."""
    monkeypatch.setattr(watching, "SILENT_SECONDS_MAX", 0.3)
    asked: list[str] = []
    async with a_side("asyncio", server.address, tel.secret) as side:
        watch: Any = side.client.watch(await start_of(side), kinds=[TRANSFER])
        ask = watch._ask

        def noted(request: WatchEventsRequest) -> Any:
            asked.append(request.cursor)
            return ask(request)

        watch._ask = noted
        told: asyncio.Queue[str] = asyncio.Queue()
        watching_it = side.keep_telling(watch, told)
        while len(asked) < 2:
            await asyncio.sleep(0.02)
        made = await awards(tel, ada, 1)

        assert await told.get() == made[0]
    watching_it.cancel()
    assert all(asked)


@pytest.mark.parametrize("kind", SIDES)
async def test_a_cursor_that_is_none_ends_the_watch(kind: str, server: Server, tel: Merchant) -> None:
    """Asking again would not help."""
    async with a_side(kind, server.address, tel.secret) as side:
        with pytest.raises(InvalidCursor):
            await side.first_events(side.client.watch("no cursor"), 1)


@pytest.mark.parametrize("kind", SIDES)
async def test_who_may_not_watch_is_told_so(kind: str, server: Server) -> None:
    """At once, by reason."""
    async with a_side(kind, server.address, "no-such-key") as side:
        with pytest.raises(CredentialUnknown):
            await side.first_events(side.client.watch(), 1)


async def test_from_now_on_stays_so_until_something_was_told(server: Server, tel: Merchant, ada: Member) -> None:
    """A watch without a cursor has one from the first message on, and goes on from there."""
    async with a_side("asyncio", server.address, tel.secret) as side:
        await awards(tel, ada, 2)
        watch = side.client.watch(from_now=True, kinds=[TRANSFER])
        async with aclosing(aiter(watch)) as events:
            first = asyncio.ensure_future(anext(events))
            while not watch.cursor:
                await asyncio.sleep(0.02)
            made = await awards(tel, ada, 1)

            assert (await first).resource == made[0]
