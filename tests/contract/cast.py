"""The merchants of the rulebook's worked figures, with their currencies, prices and rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exchange.v1 import rate_service_pb2 as rates
from tests.contract.pairs import Pair, a_pair
from tests.movements import Member
from tests.worlds import DISCOUNT, EARNING, EXCHANGE, GENERAL, REDEMPTION, Merchant, World


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, each with the roles the name suggests, and nobody with all of them.

    Attributes:
        gro: a grocer: awards, and takes points as cash.
        caf: a café: awards, and gives goods for points.
        tel: issues TEL.
        air: issues AIR.
        bnk: issues BNK.
        gen: takes part without moving points.
        bnk_to_air: 30:1, block 3 000, a fee of ¥0.10 a conversion: the rulebook's example.
    """

    world: World
    gro: Merchant
    caf: Merchant
    tel: Merchant
    air: Merchant
    bnk: Merchant
    gen: Merchant
    bnk_to_air: rates.Rate

    async def member(self, *amounts: str) -> Member:
        """A person whom everybody but the general merchant has linked, with points the issuers gave: "500 TEL"."""
        member = await self.world.member("ada", [self.gro, self.caf, self.tel, self.air, self.bnk])
        for amount in amounts:
            await self.issuer_of(amount).earn(member, amount)
        return member

    async def pair(self, **terms: Any) -> Pair:
        """Two fresh currencies, issued by BNK and AIR, and a rate between them; see `a_pair`."""
        return await a_pair(self.world, (self.bnk, self.air), **terms)

    def issuer_of(self, amount: str) -> Merchant:
        """The issuer of the currency in "500 TEL"."""
        return {"TEL": self.tel, "AIR": self.air, "BNK": self.bnk}[amount.rsplit(maxsplit=1)[-1]]


async def a_cast(world: World) -> Cast:
    """Take everybody in and publish prices and rates."""
    tel = await world.merchant("TEL", EARNING, REDEMPTION, EXCHANGE)
    air = await world.merchant("AIR", EARNING, REDEMPTION, EXCHANGE)
    bnk = await world.merchant("BNK", EARNING, DISCOUNT, EXCHANGE)
    await world.currency("TEL", tel, issue=12_000, redeem=10_000, conversion_in=10_500, conversion_out=10_000)
    await world.currency("AIR", air, issue=60_000, redeem=50_000, conversion_in=55_000, conversion_out=50_000)
    await world.currency("BNK", bnk, issue=2_500, redeem=2_000, conversion_in=2_250, conversion_out=2_000)
    return Cast(
        world=world,
        gro=await world.merchant("GRO", EARNING, DISCOUNT),
        caf=await world.merchant("CAF", EARNING, REDEMPTION),
        tel=tel,
        air=air,
        bnk=bnk,
        gen=await world.merchant("GEN", GENERAL),
        bnk_to_air=await world.rate("BNK", "AIR", "30:1", block_units=3_000, fee_micros=100_000),
    )
