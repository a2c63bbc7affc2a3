"""What promotions did, as tests of the wire look at it."""

from __future__ import annotations

from typing import Any

from exchange.v1 import directory_service_pb2 as pb
from exchange.v1 import types_pb2 as types
from tests.worlds import World


async def used_of(world: World, promotion: pb.Promotion) -> int:
    """Points given of its budget."""
    request = pb.GetPromotionRequest(name=promotion.name)
    return (await world.operator.ask(world.stubs.directory.GetPromotion, request)).promotion.used_units


def told(transfer: types.Transfer) -> list[tuple[str, str, int]]:
    """Promotion, currency and points of each bonus of a transfer."""
    return [
        (one.promotion.partition("/")[2], one.points.currency.partition("/")[2], one.points.units)
        for one in transfer.promotions
    ]


def owed(transfer: types.Transfer) -> list[tuple[int, str, str, int]]:
    """Kind, debtor, creditor and micro-units of each obligation."""
    return [
        (one.kind, one.debtor.partition("/")[2], one.creditor.partition("/")[2], one.amount.micros)
        for one in transfer.obligations
    ]


async def end(world: World, promotion: pb.Promotion, **fields: Any) -> pb.Promotion:
    """End it; the promotion as it stands."""
    request = pb.EndPromotionRequest(name=promotion.name, **fields)
    return (await world.operator.ask(world.stubs.directory.EndPromotion, request)).promotion
