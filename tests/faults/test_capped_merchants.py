"""Two real server processes hammer one merchant's net debit cap: never passed, and used to the last item that fits."""

from __future__ import annotations

import asyncio
from collections import Counter

from grpc import aio

from exchange.client.caller import refusal_in, refusal_of
from exchange.v1 import limit_service_pb2 as limits
from tests.faults.server_process import a_server_process
from tests.integration.ledger.ledgers import differences
from tests.movements import Member, a_hold, a_redemption, a_reversal, an_earn
from tests.servers import a_new_coalition
from tests.worlds import EARNING, EXCHANGE, REDEMPTION, Merchant, World, a_channel, a_world

PRICE = 12_000
ROOM = 1_000
"""Points that fit under the cap."""
ROUNDS = 40


async def asked(merchant: Merchant, *movements: object) -> Counter[str]:
    """How a merchant's movements are answered: OK, or the reason."""
    told: Counter[str] = Counter()
    if len(movements) > 1:
        for result in await merchant.batch(*movements):  # type: ignore[arg-type]
            told["OK" if result.HasField("transfer") else refusal_in(result.status).reason] += 1
        return told
    try:
        await merchant.post(*movements)  # type: ignore[arg-type]
        told["OK"] += 1
    except aio.AioRpcError as error:
        told[refusal_of(error).reason] += 1
    return told


async def exposure(world: World) -> limits.Exposure:
    """GRO as it stands."""
    request = limits.GetExposureRequest(merchant="merchants/GRO", currency_code="CNY")
    return (await world.operator.ask(world.stubs.limits.GetExposure, request)).exposure


async def watch(world: World, stop: asyncio.Event) -> list[int]:
    """What GRO owed, looked at again and again while it was hammered."""
    seen = []
    while not stop.is_set():
        seen.append((await exposure(world)).owed_micros)
        await asyncio.sleep(0.01)
    return seen


async def hammer(at: list[Merchant], members: list[Member]) -> Counter[str]:
    """Awards of 3 and 7 points, alone and in batches, at both servers at once, until nothing more fits."""
    calls = []
    for number in range(ROUNDS):
        for place, merchant in enumerate(at):
            member = members[(2 * number + place) % len(members)]
            calls.append(asked(merchant, an_earn(member, "7 TEL")))
            calls.append(asked(merchant, *(an_earn(member, f"{units} TEL") for units in (3, 7, 3))))
    told = sum(await asyncio.gather(*calls), Counter[str]())
    for units in (3, 1):
        told += sum(
            await asyncio.gather(*(asked(one, an_earn(members[0], f"{units} TEL")) for one in at * 3)), Counter()
        )
    return told


async def test_two_processes_never_pass_a_cap_and_use_all_of_it(durable_database_url: str) -> None:
    """More is asked than fits; afterwards reversals and redemptions make room, which is used up again."""
    secret = await a_new_coalition(durable_database_url)
    async with (
        a_server_process(durable_database_url) as one,
        a_server_process(durable_database_url) as other,
        a_world(one.address, secret) as world,
        a_channel(other.address) as channel,
    ):
        tel = await world.merchant("TEL", EXCHANGE)
        gro = await world.merchant("GRO", EARNING, REDEMPTION)
        await world.currency("TEL", tel, issue=PRICE, redeem=PRICE)
        members = [await world.member(f"m{number}", [gro]) for number in range(12)]
        at = [gro, gro.at(channel)]
        request = limits.SetNetDebitCapRequest(
            merchant=gro.name, currency_code="CNY", cap_micros=ROOM * PRICE, reason="test"
        )
        await world.operator.ask(world.stubs.limits.SetNetDebitCap, request)
        stop = asyncio.Event()
        watching = asyncio.create_task(watch(world, stop))

        told = await hammer(at, members)
        full = await exposure(world)
        first = (await gro.post(a_redemption(members[0], "9 TEL"))).transfer
        await asked(at[1], a_reversal(first, units=2), a_hold(members[1], "5 TEL"))
        again = await hammer(at, members)
        stop.set()
        seen = await watching

        assert told.keys() == again.keys() == {"OK", "NET_DEBIT_CAP_EXCEEDED"}
        assert full.headroom_micros == 0
        assert full.owed_micros == ROOM * PRICE
        assert (await exposure(world)).headroom_micros == 0
        assert max(seen) <= ROOM * PRICE
    assert await differences(durable_database_url) == {}
