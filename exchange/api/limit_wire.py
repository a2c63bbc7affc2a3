"""Limits on the wire: requests to values, values to messages."""

from __future__ import annotations

from exchange.directory.bands import DEFAULT_BPS, BandAction, Sector
from exchange.ledger.quotas import PointsLimit
from exchange.limits.model import Position
from exchange.money.currencies import MINOR_EXPONENT
from exchange.money.limits import INT64_MAX
from exchange.serving.checks import Violations, known_numbers
from exchange.serving.quotas import CallQuota
from exchange.v1 import limit_service_pb2 as pb

REASON_MAX = 200
UNITS_MAX = INT64_MAX // 4
"""So that their sum is a number too."""
CALLS_MAX = 1_000_000
NO_QUOTA = CallQuota(0, 0, 0)
BAND_BPS_MAX = 1_000_000
SECTORS = known_numbers(pb.ReturnBand.Sector)
ACTIONS = known_numbers(pb.ReturnBand.Action)


def merchant_and_currency(
    check: Violations,
    request: pb.SetNetDebitCapRequest
    | pb.RemoveNetDebitCapRequest
    | pb.ProposeNetDebitCapRequest
    | pb.GetExposureRequest,
) -> tuple[str, str]:
    """Merchant id and settlement currency; what is wrong is noted."""
    merchant_id = check.resource_name("merchant", request.merchant, "merchants")
    currency_code = check.currency_code("currency_code", request.currency_code)
    if currency_code not in MINOR_EXPONENT:
        check.say("currency_code", "is no ISO 4217 code")
    return merchant_id, currency_code


def exposure_message(position: Position) -> pb.Exposure:
    """What the caller sees. A sum beyond 64 bits is told as the greatest figure there is."""
    return pb.Exposure(
        merchant=f"merchants/{position.merchant_id}",
        currency_code=position.currency_code,
        cap_micros=position.cap_micros,
        owed_micros=min(position.owed_micros, INT64_MAX),
        due_micros=min(position.due_micros, INT64_MAX),
        reserved_micros=min(position.reserved_micros, INT64_MAX),
        headroom_micros=min(position.headroom_micros, INT64_MAX),
    )


def points_limits(check: Violations, wanted: pb.PointsLimits) -> tuple[str, dict[str, int]]:
    """Currency code and figures to set; what is wrong is noted."""
    code = check.resource_name("limits.currency", wanted.currency, "currencies")
    names = ("member_earn_units", "member_use_units", "issuance_units")
    return code, {name: check.within(f"limits.{name}", getattr(wanted, name), 0, UNITS_MAX) for name in names}


def points_limits_message(code: str, limit: PointsLimit | None, issued_units: int) -> pb.PointsLimits:
    """What the caller sees; `issued_units` is 0 where it is none of its business."""
    message = pb.PointsLimits(currency=f"currencies/{code}", issued_units=issued_units)
    if limit is not None:
        message.member_earn_units, message.member_use_units = limit.member_earn_units, limit.member_use_units
        message.issuance_units = limit.issuance_units
    return message


def call_quota(check: Violations, wanted: pb.CallQuota) -> tuple[str, CallQuota]:
    """Merchant id and quota to set; what is wrong is noted."""
    merchant_id = check.resource_name("quota.merchant", wanted.merchant, "merchants")
    rate = check.within("quota.calls_per_second", wanted.calls_per_second, 0, CALLS_MAX)
    burst = check.within("quota.burst_calls", wanted.burst_calls, 1 if rate else 0, CALLS_MAX)
    return merchant_id, CallQuota(rate, burst, check.within("quota.concurrent_calls", wanted.concurrent_calls, 0))


def call_quota_message(name: str, quota: CallQuota) -> pb.CallQuota:
    """What the caller sees."""
    return pb.CallQuota(merchant=name, **quota._asdict())


def return_band(check: Violations, wanted: pb.ReturnBand) -> tuple[str, Sector, int, BandAction]:
    """Merchant id, sector, basis points and action of a band to set; what is wrong is noted."""
    merchant_id = check.resource_name("band.merchant", wanted.merchant, "merchants")
    sector = Sector(check.known("band.sector", wanted.sector, SECTORS))
    action = BandAction(check.known("band.action", wanted.action, ACTIONS))
    given = wanted.max_bps or DEFAULT_BPS.get(sector, 0)
    return merchant_id, sector, check.within("band.max_bps", given, 1, BAND_BPS_MAX), action


def return_band_message(name: str, sector: int, max_bps: int, action: int) -> pb.ReturnBand:
    """What the caller sees."""
    message = pb.ReturnBand(merchant=name, max_bps=max_bps)
    message.sector, message.action = sector, action  # type: ignore[assignment]
    return message
