"""A café's till: goods for points. What a partner writes; the tests beside it are what this example is about."""

from __future__ import annotations

from exchange.client import Client, Undecided
from exchange.client.reasons import InsufficientPoints
from exchange.v1.transfer_service_pb2 import RedeemPointsRequest
from exchange.v1.types_pb2 import PointsAmount


def pay(client: Client, order: str, card: str, units: int) -> str:
    """Take TEL points for an order; answers what the till shows.

    The order's number is the request_id: however often the till asks, an order is paid once.
    """
    points = PointsAmount(currency="currencies/TEL", units=units)
    request = RedeemPointsRequest(request_id=f"order-{order}", member_reference=card, points=points)
    try:
        client.transfers.RedeemPoints(request, timeout=5)
    except InsufficientPoints as refused:
        return f"only {refused.available} points"
    except Undecided:
        return "please wait"
    return "paid"
