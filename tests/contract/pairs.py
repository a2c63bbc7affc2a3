"""Two currencies and a rate between them, fresh for one test: what differs from the dullest rate stands in the test."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import transfer_service_pb2 as transfers
from tests.movements import Member
from tests.worlds import Merchant, World

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a target currency.

    Attributes:
        source: code of the one points come from.
        target: code of the one they become.
        issuers: of source and target.
        rate: as published.
    """

    world: World
    source: str
    target: str
    issuers: tuple[Merchant, Merchant]
    rate: rates.Rate

    async def member(self, units: int = 0) -> Member:
        """A person both issuers have linked, with so many points of the source."""
        member = await self.world.member("ada", self.issuers)
        if units:
            await self.issuers[0].earn(member, f"{units} {self.source}")
        return member

    async def convert(self, member: Member, units: int, **fields: Any) -> transfers.ConvertPointsResponse:
        """The source's issuer converts so many points."""
        return await self.issuers[0].convert(member, f"{units} {self.source}", self.target, **fields)

    async def balances(self, member: Member) -> tuple[int, int]:
        """Spendable points of source and target."""
        found = await self.issuers[0].balances(member)
        return found.get(self.source, 0), found.get(self.target, 0)


async def a_pair(
    world: World,
    issuers: tuple[Merchant, Merchant],
    *,
    ratio: str = "1:1",
    out_price: int = 1_000,
    in_price: int = 1_000,
    **terms: Any,
) -> Pair:
    """Publish two currencies and a rate.

    Args:
        world: where.
        issuers: of source and target.
        ratio: "30:1".
        out_price: what the source issuer pays for a point converted away, micro-units.
        in_price: what the target issuer gets for a point minted.
        terms: further fields of Rate.
    """
    number = next(_numbers)
    source, target = f"S{number}", f"T{number}"
    await world.currency(source, issuers[0], issue=0, redeem=0, conversion_out=out_price)
    await world.currency(target, issuers[1], issue=0, redeem=0, conversion_in=in_price)
    return Pair(world, source, target, issuers, await world.rate(source, target, ratio, **terms))
