"""Which caller is told which event, and how much of it: partners are apart in the stream as everywhere else."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import event_service_pb2 as pb
from settlement.v1 import settlement_service_pb2 as settlement
from settlement.v1.settlement_service_pb2_grpc import SettlementServiceStub
from tests.contract.cast import Cast, a_cast
from tests.contract.watching import Kind, kinds, listed, resources, watching
from tests.worlds import Party, World

SECRET_REFERENCE = "receipt-of-the-asker"

# What happens, and which merchants are told. GEN takes part in nothing.
MOVEMENTS = {
    "GRO awards TEL": {"GRO", "TEL"},
    "CAF redeems TEL": {"CAF", "TEL"},
    "TEL redeems its own": {"TEL"},
    "BNK converts into AIR": {"BNK", "AIR"},
    "GRO discounts BNK": {"GRO", "BNK"},
}
MERCHANTS = ("GRO", "CAF", "TEL", "AIR", "BNK", "GEN")


async def callers_of(world: World, cast: Cast) -> dict[str, Party]:
    """Everybody there is, by name."""
    merchants = {name: getattr(cast, name.lower()) for name in MERCHANTS}
    others = {
        role: await world.party(directory.CallerRole.Value(f"CALLER_ROLE_{role}"))
        for role in ("OPERATOR", "AUDITOR", "FINANCE_MAKER", "FINANCE_CHECKER")
    }
    return merchants | others


async def moved(cast: Cast) -> dict[str, str]:
    """Make every movement of the table; names of the transfers by movement."""
    ada = await cast.member("500 TEL", "9 000 BNK")
    keep = {"reference": SECRET_REFERENCE}
    answers: dict[str, Any] = {
        "GRO awards TEL": await cast.gro.earn(ada, "5 TEL", **keep),
        "CAF redeems TEL": await cast.caf.redeem(ada, "5 TEL", **keep),
        "TEL redeems its own": await cast.tel.redeem(ada, "5 TEL", **keep),
        "BNK converts into AIR": await cast.bnk.convert(ada, "3 000 BNK", "AIR", **keep),
        "GRO discounts BNK": await cast.gro.discount(ada, "5 BNK", **keep),
    }
    return {movement: answer.transfer.name for movement, answer in answers.items()}


def told_to(name: str, transfers: dict[str, str]) -> list[str]:
    """The transfers a caller is told of, by the table."""
    if name in {"OPERATOR", "AUDITOR"}:
        return list(transfers.values())
    return [transfers[movement] for movement, merchants in MOVEMENTS.items() if name in merchants]


async def test_each_caller_is_told_the_transfers_it_is_a_party_of(own_world: World) -> None:
    """By list and by watch, from the cursor of anybody; finance and strangers are told of none."""
    cast = await a_cast(own_world)
    callers = await callers_of(own_world, cast)
    await cast.member("1 TEL", "1 BNK")
    _, cursor = await listed(cast.gen)

    async with AsyncExitStack() as stack:
        watches = {
            name: await stack.enter_async_context(watching(caller, cursor=cursor)) for name, caller in callers.items()
        }
        transfers = await moved(cast)
        maker = callers["FINANCE_MAKER"]
        stub = SettlementServiceStub(own_world.stubs.channel)
        await maker.ask(stub.CloseWindow, settlement.CloseWindowRequest(name="windows/1"))
        for name, watch in watches.items():
            *told, closed = await watch.until("windows/1")
            once_more, _ = await listed(callers[name], cursor=cursor)

            awards = {"OPERATOR": 2, "AUDITOR": 2, "TEL": 1, "BNK": 1}.get(name, 0)
            assert resources(told)[awards:] == told_to(name, transfers), name
            assert [*told, closed] == once_more, name


async def test_only_the_asker_is_told_its_own_words(own_world: World) -> None:
    """Not a byte of request_id or reference goes to another merchant, though both are served from one reading."""
    cast = await a_cast(own_world)
    callers = await callers_of(own_world, cast)
    _, cursor = await listed(cast.gen)

    async with AsyncExitStack() as stack:
        watches = {
            name: await stack.enter_async_context(watching(callers[name], cursor=cursor)) for name in ("TEL", "GRO")
        }
        transfers = await moved(cast)
        told = {name: await watch.until(told_to(name, transfers)[-1]) for name, watch in watches.items()}

    for name, events in told.items():
        for event in events:
            is_own = event.transfer.merchant == f"merchants/{name}"
            assert (SECRET_REFERENCE.encode() in event.SerializeToString()) == (
                is_own and event.resource in transfers.values()
            )
            assert bool(event.transfer.request_id) == is_own


@pytest.mark.parametrize("name", [*MERCHANTS, "OPERATOR", "AUDITOR", "FINANCE_MAKER", "FINANCE_CHECKER"])
async def test_everybody_is_told_what_concerns_everybody(world: World, cast: Cast, name: str) -> None:
    """A suspension, a price: whoever may read the directory may hear of its changes."""
    caller = (await callers_of(world, cast))[name]
    _, cursor = await listed(caller)
    code = f"PUB{name.replace('_', '')[:10]}"
    await world.currency(code, cast.tel, issue=1)
    request = directory.SuspendCurrencyRequest(name=f"currencies/{code}")
    await world.operator.ask(world.stubs.directory.SuspendCurrency, request)

    events, _ = await listed(caller, cursor=cursor)

    assert kinds(events) == ["PRICE_PUBLISHED", "CURRENCY_SUSPENDED"]


async def test_asking_for_a_kind_one_may_not_see_tells_nothing(world: World, cast: Cast) -> None:
    """Finance that asks for transfers is told of none, and its cursor moves on."""
    maker = await world.party(directory.CALLER_ROLE_FINANCE_MAKER)
    _, cursor = await listed(maker)
    ada = await cast.member("5 TEL")
    await cast.gro.earn(ada, "5 TEL")

    events, after = await listed(maker, cursor=cursor, kinds=[Kind.KIND_TRANSFER])

    assert events == []
    assert after != cursor


async def test_a_cursor_gives_nobody_more_than_its_own(world: World, cast: Cast) -> None:
    """Another caller's cursor is a place in the order, and no key to what that one sees."""
    ada = await cast.member("5 TEL")
    events, _ = await listed(await world.auditor(), kinds=[Kind.KIND_TRANSFER])
    cursor = events[-2].cursor
    await cast.gro.earn(ada, "5 TEL")

    page = await cast.gen.ask(cast.gen.stubs.events.ListEvents, pb.ListEventsRequest(cursor=cursor))

    assert list(page.events) == []
