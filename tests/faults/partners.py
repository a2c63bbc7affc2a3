"""Partners of a coalition who go on asking while something is killed, and remember what they asked and were told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc import aio

from exchange.client.caller import refusal_in, refusal_of
from exchange.v1 import types_pb2 as types
from tests.movements import Member, Movement, a_conversion, a_discount, a_redemption, an_earn
from tests.worlds import EVERY_ROLE, Merchant, World

UNKNOWN = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)
"""What leaves it open whether a request was done."""
OK, ABORTED, UNAVAILABLE = (
    code.value[0] for code in (grpc.StatusCode.OK, grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE)
)
AT_ONCE = 24
BATCH = 10
PAUSE_SECONDS = 0.02
DISCOURAGED_SECONDS = 0.1


@dataclass(slots=True)
class Asked:
    """A request and what became of it.

    Attributes:
        merchant: who asked.
        movement: the request, with its key.
        told: the transfer that was acknowledged, or the reason of a refusal; None: nobody said.
        group: number of the atomic batch it came in; None: it stood alone.
    """

    merchant: Merchant
    movement: Movement
    told: types.Transfer | str | None = None
    group: int | None = None


@dataclass
class Partners:
    """Three merchants, some members and everything that was asked."""

    merchants: dict[str, Merchant]
    members: list[Member]
    asked: dict[str, Asked] = field(default_factory=dict)
    failures: list[aio.AioRpcError] = field(default_factory=list)
    groups: int = 0

    @property
    def acknowledged(self) -> list[Asked]:
        """Requests that were told a yes."""
        return [one for one in self.asked.values() if isinstance(one.told, types.Transfer)]

    @property
    def unknown(self) -> list[Asked]:
        """Requests that were told nothing."""
        return [one for one in self.asked.values() if one.told is None]

    def at(self, channel: aio.Channel) -> None:
        """Go on over another connection."""
        self.merchants = {name: merchant.at(channel) for name, merchant in self.merchants.items()}
        for one in self.asked.values():
            one.merchant = one.merchant.at(channel)

    async def trade_until(self, stop: asyncio.Event) -> None:
        """Many callers ask one thing after the other, singly and in batches, whatever happens to the server."""
        await asyncio.gather(*(self._trade(stop, random.Random(number)) for number in range(AT_ONCE)))

    async def until_acknowledged(self, count: int, trading: asyncio.Task[None]) -> None:
        """Wait until so many requests were told a yes, while the partners are trading."""
        while len(self.acknowledged) < count:
            assert not trading.done(), "the partners have given up"
            await asyncio.sleep(PAUSE_SECONDS)

    async def _trade(self, stop: asyncio.Event, chance: random.Random) -> None:
        while not stop.is_set():
            known = await (self._batch(chance) if chance.random() < 0.1 else self._single(chance))
            if not known:
                await asyncio.sleep(DISCOURAGED_SECONDS)

    async def _single(self, chance: random.Random) -> bool:
        name, movement = self._any(chance)
        one = self.asked[movement.request_id] = Asked(self.merchants[name], movement)
        return await self.ask(one)

    async def ask(self, one: Asked) -> bool:
        """Send a request; whether its outcome is known now."""
        try:
            answer = await one.merchant.post(one.movement)
        except aio.AioRpcError as error:
            if error.code() in UNKNOWN:
                self.failures.append(error)
                return False
            if error.code() is grpc.StatusCode.INTERNAL:
                raise
            one.told = refusal_of(error).reason
        else:
            one.told = answer.transfer
        return True

    async def _batch(self, chance: random.Random) -> bool:
        name = chance.choice(["GRO", "BNK"])
        movements = [self._any(chance, name)[1] for _ in range(BATCH)]
        self.groups += 1
        atomic = chance.random() < 0.5
        sent = [Asked(self.merchants[name], movement, group=self.groups if atomic else None) for movement in movements]
        self.asked |= {one.movement.request_id: one for one in sent}
        try:
            results = await self.merchants[name].batch(*movements, atomic=atomic)
        except aio.AioRpcError as error:
            if error.code() not in UNKNOWN:
                raise
            self.failures.append(error)
            return False
        for one, result in zip(sent, results, strict=True):
            if result.status.code == OK:
                one.told = result.transfer
            elif result.status.code == ABORTED:
                # Undone with its group: its key is unused, so it was never asked.
                del self.asked[one.movement.request_id]
            elif result.status.code != UNAVAILABLE:
                one.told = refusal_in(result.status).reason
        return True

    def _any(self, chance: random.Random, name: str = "") -> tuple[str, Movement]:
        name = name or chance.choice(["GRO", "BNK", "CAF"])
        member = chance.choice(self.members)
        makers: list[Callable[[], Movement]] = [
            lambda: an_earn(member, f"{chance.randint(1, 9)} TEL"),
            lambda: a_redemption(member, f"{chance.randint(1, 6)} TEL"),
            lambda: a_discount(member, f"{chance.randint(1, 9)} BNK"),
        ]
        if name == "BNK":
            makers.append(lambda: a_conversion(member, f"{chance.randint(30, 95)} BNK", "AIR"))
        return name, chance.choice(makers)()

    def balances(self) -> Counter[tuple[str, str]]:
        """Points by member and currency, added up from the transfers the partners were told of."""
        held: Counter[tuple[str, str]] = Counter()
        for one in self.acknowledged:
            assert isinstance(one.told, types.Transfer)
            for leg in one.told.legs:
                if leg.account == types.PointsLeg.ACCOUNT_MEMBER:
                    sign = 1 if leg.side == types.PointsLeg.SIDE_CREDIT else -1
                    held[(one.told.member, leg.points.currency.removeprefix("currencies/"))] += sign * leg.points.units
        return held


async def partners_of(world: World) -> Partners:
    """A grocer, a bank and a café with twenty members who have some points to begin with."""
    merchants = {name: await world.merchant(name, *EVERY_ROLE) for name in ("GRO", "BNK", "CAF", "AIR", "TEL")}
    await world.currency("TEL", issuer=merchants["TEL"], issue=12_000, redeem=10_000)
    await world.currency("BNK", issuer=merchants["BNK"], issue=2_500, redeem=2_000, conversion_out=2_000)
    await world.currency("AIR", issuer=merchants["AIR"], issue=60_000, conversion_in=55_000)
    await world.rate("BNK", "AIR", "30:1")
    linked = [merchants[name] for name in ("GRO", "BNK", "CAF")]
    members = await asyncio.gather(*(world.member(f"m{number}", linked_to=linked) for number in range(20)))
    partners = Partners({name: merchants[name] for name in ("GRO", "BNK", "CAF")}, list(members))
    for member in members:
        for name, points in (("GRO", "40 TEL"), ("BNK", "600 BNK")):
            movement = an_earn(member, points)
            one = partners.asked[movement.request_id] = Asked(partners.merchants[name], movement)
            assert await partners.ask(one)
    return partners


async def in_company(calls: Iterable[Awaitable[Any]], at_once: int = AT_ONCE) -> list[Any]:
    """The answers to many calls, a few at a time."""
    room = asyncio.Semaphore(at_once)

    async def one(call: Awaitable[Any]) -> Any:
        async with room:
            return await call

    return await asyncio.gather(*map(one, calls))
