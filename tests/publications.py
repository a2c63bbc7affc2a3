"""What an operator publishes, as it stands in requests: rates and promotions, and by which words prices are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from exchange.v1 import directory_service_pb2 as directory_pb
from exchange.v1 import rate_service_pb2 as rate_pb

PRICE_FIELDS = {
    "issue": "issue_micros",
    "redeem": "redeem_micros",
    "conversion_in": "conversion_in_micros",
    "conversion_out": "conversion_out_micros",
    "cash_out": "cash_out_micros",
    "cash_out_fee": "cash_out_fee_bps",
}


class Named(Protocol):
    """Whoever has a resource name."""

    name: str


def a_rate(source: str, target: str, ratio: str, **terms: Any) -> rate_pb.Rate:
    """A rate to publish: "30:1" is 30 of source for 1 of target."""
    source_units, _, target_units = ratio.partition(":")
    return rate_pb.Rate(
        source_currency=f"currencies/{source}",
        target_currency=f"currencies/{target}",
        source_units=int(source_units),
        target_units=int(target_units),
        **terms,
    )


def a_promotion(
    name: str, what: str, at: Named | None = None, sponsors: Mapping[Any, int] | None = None, **terms: Any
) -> directory_pb.Promotion:
    """A promotion to begin; arguments as of `World.promotion`."""
    source, _, target = what.rpartition(">")
    kind = directory_pb.Promotion.KIND_CONVERSION_BONUS if source else directory_pb.Promotion.KIND_EARN_BONUS
    return directory_pb.Promotion(
        name=f"promotions/{name}",
        kind=kind,
        merchant=at.name if at else "",
        currency=f"currencies/{target}",
        source_currency=f"currencies/{source}" if source else "",
        sponsors=[
            directory_pb.PromotionSponsor(merchant=who.name, share_bps=share) for who, share in (sponsors or {}).items()
        ],
        **terms,
    )
