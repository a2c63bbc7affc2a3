"""Rates somebody wants published, and what the coalition allows of them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from exchange.rates.model import Rate


class Proposal(NamedTuple):
    """A rate somebody wants published, from `begins` on; None: from its publication."""

    rate: Rate
    begins: datetime | None

    def at(self, now: datetime) -> Rate:
        """The rate as it would be, were it published now."""
        return self.rate._replace(effective_at=self.begins or now, published_at=now)


class Bounds(NamedTuple):
    """What the coalition allows of a rate; 0 allows anything.

    Attributes:
        bonus_bps_max: a volume bonus at its best, in basis points of what the plain ratio gives.
        margin_bps_max: what a conversion leaves the operator, in basis points of what the source's points are worth.
        change_bps_max: how far the plain ratio may lie from that of the version before it, in basis points of that.
        fee_micros_max: fee of each conversion.
        fee_per_point_micros_max: fee of each point.
        notice_seconds_min: from the publication until it takes effect.
    """

    bonus_bps_max: int = 0
    margin_bps_max: int = 0
    change_bps_max: int = 0
    fee_micros_max: int = 0
    fee_per_point_micros_max: int = 0
    notice_seconds_min: int = 0
