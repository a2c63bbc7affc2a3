"""A merchant's first day: awards, converts, is refused, asks again, and lists what happened."""

from __future__ import annotations

import asyncio
import os
from uuid import uuid4

from exchange.client import AsyncClient
from exchange.client.reasons import InsufficientPoints
from exchange.v1.transfer_service_pb2 import ConvertPointsRequest, EarnPointsRequest, ListTransfersRequest
from exchange.v1.types_pb2 import PointsAmount, Transfer

BNK, AIR = "currencies/BNK", "currencies/AIR"


async def main() -> None:
    """The day, on the exchange at EXCHANGE_ADDRESS, with EXCHANGE_KEY and for the member EXCHANGE_MEMBER."""
    member = os.environ["EXCHANGE_MEMBER"]
    async with AsyncClient(os.environ["EXCHANGE_ADDRESS"], os.environ["EXCHANGE_KEY"]) as client:
        points = PointsAmount(currency=BNK, units=250_000)
        earned = await client.transfers.EarnPoints(EarnPointsRequest(member_reference=member, points=points))
        print("earned", points.units, "BNK")

        # A key of our own: a real program stores it with its record of the conversion, before it asks.
        convert = ConvertPointsRequest(
            request_id=str(uuid4()),
            member_reference=member,
            source=PointsAmount(currency=BNK, units=100_000),
            target_currency=AIR,
        )
        first = await client.transfers.ConvertPoints(convert)
        print("converted", first.transfer.used.units, "BNK into", first.transfer.received.units, "AIR")

        too_much = PointsAmount(currency=BNK, units=999_000)
        try:
            await client.transfers.ConvertPoints(
                ConvertPointsRequest(member_reference=member, source=too_much, target_currency=AIR)
            )
        except InsufficientPoints as refused:
            print(f"refused: {refused.reason}, {refused.available} available, {refused.requested} requested")

        again = await client.transfers.ConvertPoints(convert)
        print("replayed:", str(again.replayed).lower())

        listing = ListTransfersRequest(member=earned.transfer.member, page_size=1)
        kinds = [
            Transfer.Kind.Name(transfer.kind)
            async for page in client.pages(client.transfers.ListTransfers, listing)
            for transfer in page.transfers
        ]
        print("listed:", *kinds)


asyncio.run(main())
