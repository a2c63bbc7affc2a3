"""Requests to move points, in the language of the trade: `an_earn(ada, "500 TEL")`.

A key left out is a new one. `fields` are further fields of the request: reference, validate_only, expire_time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration

from exchange.v1 import rate_service_pb2 as rates
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


def a_quoted_conversion(
    member: Member, quote: rates.Quote, key: str | None = None, **fields: Any
) -> pb.ConvertPointsRequest:
    """The request to convert what a quote says."""
    return pb.ConvertPointsRequest(request_id=key or a_key(), member=member.name, quote=quote.name, **fields)


def a_campaign_use(member: Member, amount: str, key: str | None = None, **fields: Any) -> pb.UseInCampaignRequest:
    """The request to take points for taking part in a campaign."""
    return pb.UseInCampaignRequest(request_id=key or a_key(), member=member.name, points=points(amount), **fields)


def a_cash_out(member: Member, amount: str, key: str | None = None, **fields: Any) -> pb.CashOutPointsRequest:
    """The request to pay points out in money."""
    return pb.CashOutPointsRequest(request_id=key or a_key(), member=member.name, points=points(amount), **fields)


def a_hold(
    member: Member, amount: str, key: str | None = None, seconds: int = 600, **fields: Any
) -> pb.HoldPointsRequest:
    """The request to reserve points for so many seconds."""
    return pb.HoldPointsRequest(
        request_id=key or a_key(),
        member=member.name,
        points=points(amount),
        lifetime=Duration(seconds=seconds),
        **fields,
    )


def a_capture(hold: types.Transfer, key: str | None = None, **fields: Any) -> pb.CaptureHoldRequest:
    """The request to take what a hold reserved; `units` left out: all of it."""
    return pb.CaptureHoldRequest(request_id=key or a_key(), hold=hold.name, **fields)


def a_release(hold: types.Transfer, key: str | None = None, **fields: Any) -> pb.VoidHoldRequest:
    """The request to give back what a hold reserved."""
    return pb.VoidHoldRequest(request_id=key or a_key(), hold=hold.name, **fields)


def a_reversal(original: types.Transfer, key: str | None = None, **fields: Any) -> pb.ReverseTransferRequest:
    """The request to mirror a transfer; `units` and `retained` left out: all that is left of it."""
    return pb.ReverseTransferRequest(request_id=key or a_key(), original=original.name, **fields)


Movement = (
    pb.EarnPointsRequest
    | pb.RedeemPointsRequest
    | pb.DiscountPointsRequest
    | pb.ConvertPointsRequest
    | pb.UseInCampaignRequest
    | pb.CashOutPointsRequest
    | pb.HoldPointsRequest
    | pb.CaptureHoldRequest
    | pb.VoidHoldRequest
    | pb.ReverseTransferRequest
)
FIELDS: dict[type[Movement], str] = {
    pb.EarnPointsRequest: "earn",
    pb.RedeemPointsRequest: "redeem",
    pb.DiscountPointsRequest: "discount",
    pb.ConvertPointsRequest: "convert",
    pb.UseInCampaignRequest: "campaign",
    pb.CashOutPointsRequest: "cash_out",
    pb.HoldPointsRequest: "hold",
    pb.CaptureHoldRequest: "capture",
    pb.VoidHoldRequest: "void",
    pb.ReverseTransferRequest: "reverse",
}
"""Which field of an item is for which movement."""


def item(movement: Movement) -> pb.TransferItem:
    """A movement as an item of a batch or stream."""
    made = pb.TransferItem()
    getattr(made, FIELDS[type(movement)]).CopyFrom(movement)
    return made
