"""Limits on the wire: requests to values, values to messages."""

from __future__ import annotations

from exchange.limits.model import Position
from exchange.money.currencies import MINOR_EXPONENT
from exchange.money.limits import INT64_MAX
from exchange.serving.checks import Violations
from exchange.v1 import limit_service_pb2 as pb

REASON_MAX = 200


def merchant_and_currency(
    check: Violations, request: pb.SetNetDebitCapRequest | pb.RemoveNetDebitCapRequest | pb.GetExposureRequest
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
