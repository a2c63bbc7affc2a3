"""Requests to move points, in the language of the trade: `an_earn(ada, "500 TEL")`.

A key left out is a new one. `fields` are further fields of the request: reference, validate_only, expire_time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from exchange.v1 import transfer_service_pb2 as pb
from exchange.v1 import types_pb2 as types


@dataclass(frozen=True, slots=True)
class Member:
    """A person: resource name "members/…" and the reference every merchant that linked it uses."""

    name: str
    reference: str


def points(text: str) -> types.PointsAmount:
    """Points as people write them: "500 TEL", "100 000 BNK"."""
    match = re.fullmatch(r"(-?[0-9][0-9 ]*) ([A-Z0-9]+)", text)
    assert match is not None, f"{text!r} is no amount of points"
    return types.PointsAmount(currency=f"currencies/{match[2]}", units=int(match[1].replace(" ", "")))


def a_key() -> str:
    """A request_id nobody has used."""
    return str(uuid4())


def an_earn(member: Member, amount: str, key: str | None = None, **fields: Any) -> pb.EarnPointsRequest:
    """The request to award points; `key` left out: a new one."""
    return pb.EarnPointsRequest(request_id=key or a_key(), member=member.name, points=points(amount), **fields)


def a_redemption(member: Member, amount: str, key: str | None = None, **fields: Any) -> pb.RedeemPointsRequest:
    """The request to take points for goods."""
    return pb.RedeemPointsRequest(request_id=key or a_key(), member=member.name, points=points(amount), **fields)


def a_discount(member: Member, amount: str, key: str | None = None, **fields: Any) -> pb.DiscountPointsRequest:
    """The request to take points as cash."""
    return pb.DiscountPointsRequest(request_id=key or a_key(), member=member.name, points=points(amount), **fields)


def a_conversion(
    member: Member, amount: str, target: str, key: str | None = None, **fields: Any
) -> pb.ConvertPointsRequest:
    """The request to turn points into the currency with the code `target`."""
    return pb.ConvertPointsRequest(
        request_id=key or a_key(),
        member=member.name,
        source=points(amount),
        target_currency=f"currencies/{target}",
        **fields,
    )


Movement = pb.EarnPointsRequest | pb.RedeemPointsRequest | pb.DiscountPointsRequest | pb.ConvertPointsRequest


def item(movement: Movement) -> pb.TransferItem:
    """A movement as an item of a batch."""
    match movement:
        case pb.EarnPointsRequest():
            return pb.TransferItem(earn=movement)
        case pb.RedeemPointsRequest():
            return pb.TransferItem(redeem=movement)
        case pb.DiscountPointsRequest():
            return pb.TransferItem(discount=movement)
        case pb.ConvertPointsRequest():
            return pb.TransferItem(convert=movement)
