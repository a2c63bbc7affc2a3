"""Values of a scenario file as messages of `exchange.v1`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from exchange.scenario.model import Currency, EarnRule, FollowUp, Merchant, Movement, Price, Promotion, Rate
from exchange.v1 import directory_service_pb2 as directory
from exchange.v1 import rate_service_pb2 as rates
from exchange.v1 import sandbox_service_pb2 as sandbox
from exchange.v1 import transfer_service_pb2 as transfers
from exchange.v1 import types_pb2 as types

_POLICIES = {
    "none": types.ExpiryPolicy.KIND_NONE,
    "days": types.ExpiryPolicy.KIND_DAYS,
    "explicit": types.ExpiryPolicy.KIND_EXPLICIT,
    "fiscal_year": types.ExpiryPolicy.KIND_FISCAL_YEAR,
    "inactivity": types.ExpiryPolicy.KIND_INACTIVITY,
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
        expiry=types.ExpiryPolicy(
            kind=_POLICIES[entry.expiry.policy],
            days=entry.expiry.days,
            fiscal_year_end_month=entry.expiry.year_ends_month,
            fiscal_year_end_day=entry.expiry.year_ends_day,
            grace_months=entry.expiry.grace_months,
        ),
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
        tier=entry.tier,
    )


def earn_rule(entry: EarnRule) -> directory.EarnRule:
    """An earn rule to create."""
    return directory.EarnRule(
        name=f"earnRules/{entry.id}",
        merchant=f"merchants/{entry.merchant}",
        currency=f"currencies/{entry.currency}",
        per_minor_units=entry.per_amount,
        points_units=entry.points,
        carry_remainder=entry.carry_remainder,
    )


def promotion(entry: Promotion) -> directory.Promotion:
    """A promotion to begin."""
    message = directory.Promotion(
        name=f"promotions/{entry.id}",
        kind=directory.Promotion.Kind.Value(f"KIND_{entry.kind.upper()}"),
        merchant=f"merchants/{entry.merchant}" if entry.merchant is not None else "",
        currency=f"currencies/{entry.currency}",
        source_currency=f"currencies/{entry.source}" if entry.source is not None else "",
        member_cap_units=entry.member_cap,
        budget_units=entry.budget,
        sponsors=[
            directory.PromotionSponsor(merchant=f"merchants/{merchant}", share_bps=share)
            for merchant, share in entry.sponsors
        ],
        effective_time=timestamp(entry.effective_from) if entry.effective_from is not None else None,
        end_time=timestamp(entry.effective_until) if entry.effective_until is not None else None,
    )
    if entry.bonus_bps:
        message.bonus_bps = entry.bonus_bps
    else:
        message.bonus_units = entry.bonus_points
    return message


Request = (
    transfers.EarnPointsRequest
    | transfers.RedeemPointsRequest
    | transfers.DiscountPointsRequest
    | transfers.ConvertPointsRequest
    | transfers.UseInCampaignRequest
    | transfers.CashOutPointsRequest
    | transfers.HoldPointsRequest
    | transfers.CaptureHoldRequest
    | transfers.VoidHoldRequest
    | transfers.ReverseTransferRequest
)
_TAKING = {
    "redeem": transfers.RedeemPointsRequest,
    "discount": transfers.DiscountPointsRequest,
    "campaign": transfers.UseInCampaignRequest,
    "cash_out": transfers.CashOutPointsRequest,
}


def movement(entry: Movement, request_id: str, member: str) -> Request:
    """The request of a movement that follows no other."""
    points = types.PointsAmount(currency=f"currencies/{entry.currency}", units=entry.points)
    match entry.op:
        case "earn":
            return _earn(entry, request_id, member, points)
        case "convert":
            return transfers.ConvertPointsRequest(
                request_id=request_id,
                member=member,
                source=points,
                target_currency=f"currencies/{entry.target}",
                tier=entry.tier,
            )
        case "hold":
            lifetime = Duration(seconds=entry.expires_in)
            return transfers.HoldPointsRequest(request_id=request_id, member=member, points=points, lifetime=lifetime)
        case op:
            make: type[Any] = _TAKING[op]
            taking: Request = make(request_id=request_id, member=member, points=points)
            return taking


def _earn(entry: Movement, request_id: str, member: str, points: types.PointsAmount) -> transfers.EarnPointsRequest:
    request = transfers.EarnPointsRequest(request_id=request_id, member=member)
    if entry.rule is None:
        request.points.CopyFrom(points)
    else:
        request.spend.CopyFrom(types.Spend(rule=f"earnRules/{entry.rule}", minor_units=entry.amount))
    if entry.expires is not None:
        request.expire_time.CopyFrom(timestamp(entry.expires))
    return request


def follow_up(entry: FollowUp, request_id: str, original: str) -> Request:
    """The request of a capture, void or reversal of the transfer with that name."""
    match entry.op:
        case "capture":
            return transfers.CaptureHoldRequest(request_id=request_id, hold=original, units=entry.points or 0)
        case "void":
            return transfers.VoidHoldRequest(request_id=request_id, hold=original)
        case _:
            request = transfers.ReverseTransferRequest(request_id=request_id, original=original)
            if entry.points is not None:
                request.units = entry.points
            if entry.retained is not None:
                request.retained.CopyFrom(transfers.Retained(kept=entry.retained, total=entry.total or 0))
            return request
