"""Rates: exact ratios between two currencies, effective-dated, and what a conversion at one gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.directory.model import Directory
from exchange.money.rounding import ceil_ratio, floor_ratio

Pair = tuple[int, int]


class Rate(NamedTuple):
    """`source_units` of source become `target_units` of target, from `effective_at` until before `ends_at` (汇率).

    Limits and bonuses of 0 are none. Fees are micro-units of the source currency's settlement currency.
    """

    rate_id: UUID | None
    source_no: int
    target_no: int
    source_units: int
    target_units: int
    block_units: int
    minimum_units: int
    maximum_units: int
    bonus_every_units: int
    bonus_units: int
    fee_micros: int
    fee_per_point_micros: int
    fee_cap_micros: int
    member_daily_cap_units: int
    effective_at: datetime
    ends_at: datetime | None
    published_at: datetime

    @property
    def name(self) -> str:
        """Resource name; empty before publication."""
        return f"rates/{self.rate_id}" if self.rate_id else ""

    @property
    def pair(self) -> Pair:
        """Source and target currency numbers."""
        return (self.source_no, self.target_no)


class Converted(NamedTuple):
    """What a conversion uses and gives, in points, and costs in fees, micro-units."""

    used_units: int
    received_units: int
    fee_micros: int


def convert_at(rate: Rate, units: int) -> Converted:
    """What `units` of source give at a rate: blocks first, then the target floored, then only what that needs is used.

    All exact (rulebook, section 3). `used_units` is 0 when nothing would be received.
    """
    whole_blocks = units - units % rate.block_units
    received = floor_ratio(whole_blocks, rate.target_units, rate.source_units)
    used = ceil_ratio(received, rate.source_units, rate.target_units)
    if rate.bonus_every_units:
        received += used // rate.bonus_every_units * rate.bonus_units
    per_point = used * rate.fee_per_point_micros
    if rate.fee_cap_micros:
        per_point = min(per_point, rate.fee_cap_micros)
    return Converted(used, received, rate.fee_micros + per_point)


@dataclass(frozen=True, slots=True)
class Coalition:
    """Directory and rates of one version: all that rules need beside the member."""

    directory: Directory
    rates: Mapping[Pair, list[Rate]] = field(default_factory=dict)
    has_daily_caps: bool = False

    @property
    def version(self) -> int:
        """The directory's version, which every published rate moves too."""
        return self.directory.version

    @property
    def time_zone(self) -> ZoneInfo:
        """In which the coalition's days begin."""
        return self.directory.time_zone

    def currency_no(self, code: str) -> int | None:
        """The number of a currency code, None when there is none."""
        return self.directory.currency_no(code)

    def confirm(self, credential: str) -> None:
        """Whether a credential that was good when the call came in still is.

        Raises:
            CredentialUnknown: it was revoked meanwhile.
        """
        self.directory.confirm(credential)

    def earn_rule_currency_no(self, rule_id: str) -> int | None:
        """The number of the currency an earn rule makes, None when there is no such rule."""
        rule = self.directory.earn_rules.get(rule_id)
        return None if rule is None else rule.currency_no

    def rate_at(self, pair: Pair, at: datetime) -> Rate | None:
        """The version of a pair in force at an instant, None when there is none."""
        for rate in reversed(self.rates.get(pair, ())):
            if rate.effective_at <= at:
                return None if rate.ends_at is not None and rate.ends_at <= at else rate
        return None


def by_pair(rates: Iterable[Rate]) -> dict[Pair, list[Rate]]:
    """Versions by pair, oldest first. Versions that were ended before they began hold never and are left out."""
    found: dict[Pair, list[Rate]] = {}
    for rate in sorted(rates, key=lambda rate: (rate.pair, rate.effective_at)):
        if rate.ends_at != rate.effective_at:
            found.setdefault(rate.pair, []).append(rate)
    return found
