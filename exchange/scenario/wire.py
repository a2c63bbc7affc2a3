"""Values of a scenario file as messages of `exchange.v1`."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from exchange.scenario.model import Currency, Merchant, Movement, Price, Rate
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import sandbox_service_pb2 as sandbox
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

_POLICIES = {
    "none": types.ExpiryPolicy.KIND_NONE,
    "days": types.ExpiryPolicy.KIND_DAYS,
    "explicit": types.ExpiryPolicy.KIND_EXPLICIT,
}


def timestamp(instant: datetime) -> Timestamp:
    """An instant with an offset, on the wire."""
    message = Timestamp()
    message.FromDatetime(instant)
    return message


def set_clock(instant: datetime) -> sandbox.SetClockRequest:
    """A new time for the sandbox."""
    return sandbox.SetClockRequest(time=timestamp(instant))


def merchant(entry: Merchant) -> types.Merchant:
    """A participant to create."""
    roles = [types.MerchantRole.Value(f"MERCHANT_ROLE_{role.upper()}") for role in entry.roles]
    return types.Merchant(name=f"merchants/{entry.id}", roles=roles, cash_agent=entry.cash_agent)


def currency(entry: Currency, settlement_currency: str) -> types.Currency:
    """A points currency to create."""
    return types.Currency(
        name=f"currencies/{entry.code}",
        issuer=f"merchants/{entry.issuer}",
        settlement_currency=settlement_currency,
        expiry=types.ExpiryPolicy(kind=_POLICIES[entry.expiry_policy], days=entry.expiry_days),
        breakage_share_bps=entry.breakage_share_bps,
        negative_balances=entry.negative_balances,
    )


def price(entry: Price) -> types.Price:
    """A price to publish."""
    return types.Price(
        effective_time=timestamp(entry.effective),
        issue_micros=entry.issue,
        redeem_micros=entry.redeem,
        conversion_in_micros=entry.conversion_in,
        conversion_out_micros=entry.conversion_out,
        cash_out_micros=entry.cash_out,
        cash_out_fee_bps=entry.cash_out_fee_bps,
    )


def rate(entry: Rate, begins: datetime) -> rates.Rate:
    """A rate to publish that holds from `begins`."""
    return rates.Rate(
        source_currency=f"currencies/{entry.source}",
        target_currency=f"currencies/{entry.target}",
        source_units=entry.source_units,
        target_units=entry.target_units,
        block_units=entry.block,
        minimum_units=entry.minimum,
        maximum_units=entry.maximum,
        bonus_every_units=entry.bonus_every,
        bonus_units=entry.bonus_points,
        fee_micros=entry.fee,
        fee_per_point_micros=entry.fee_per_point,
        fee_cap_micros=entry.fee_cap,
        member_daily_cap_units=entry.member_daily_cap,
        effective_time=timestamp(begins),
        end_time=timestamp(entry.effective_until) if entry.effective_until is not None else None,
    )


Request = (
    transfers.EarnPointsRequest
    | transfers.RedeemPointsRequest
    | transfers.DiscountPointsRequest
    | transfers.ConvertPointsRequest
)


def movement(entry: Movement, request_id: str, member: str) -> Request:
    """The request of an earn, redeem, discount or convert."""
    points = types.PointsAmount(currency=f"currencies/{entry.currency}", units=entry.points)
    match entry.op:
        case "earn":
            expire_time = timestamp(entry.expires) if entry.expires is not None else None
            return transfers.EarnPointsRequest(
                request_id=request_id, member=member, points=points, expire_time=expire_time
            )
        case "redeem":
            return transfers.RedeemPointsRequest(request_id=request_id, member=member, points=points)
        case "discount":
            return transfers.DiscountPointsRequest(request_id=request_id, member=member, points=points)
        case _:
            return transfers.ConvertPointsRequest(
                request_id=request_id, member=member, source=points, target_currency=f"currencies/{entry.target}"
            )
