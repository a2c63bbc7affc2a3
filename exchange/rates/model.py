"""Rates: exact ratios between two currencies, effective-dated, and what a conversion at one gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.directory.model import Directory
from exchange.ledger.model import MemberCommand, TransferKind
from exchange.ledger.quotas import PointsLimit
from exchange.limits.model import NO_LIMITS, Limits
from exchange.money.rounding import ceil_ratio, floor_ratio
from exchange.promotions.model import NO_PROMOTIONS, Promotion, Promotions
from exchange.tuples import made

Pair: TypeAlias = tuple[int, int]
TierPair: TypeAlias = tuple[Pair, str]


class Rate(NamedTuple):
    """`source_units` of source become `target_units` of target, from `effective_at` until before `ends_at` (汇率).

    Limits and bonuses of 0 are none. Fees are micro-units of the source currency's settlement currency. `tier` is the
    code of the members it is for, empty: everybody. `supersedes` is the version that ended when this one began, and
    `draft_id` the draft it was approved by, None: it was published without one.
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
    tier: str = ""
    supersedes: UUID | None = None
    draft_id: UUID | None = None
    revoked_at: datetime | None = None

    @property
    def name(self) -> str:
        """Resource name; empty before publication."""
        return f"rates/{self.rate_id}" if self.rate_id else ""

    @property
    def pair(self) -> Pair:
        """Source and target currency numbers."""
        return (self.source_no, self.target_no)

    @property
    def best_gain(self) -> tuple[int, int]:
        """The most that can be received for what is used, as (received, used): whole blocks, the bonus at its best.

        No conversion gives more in proportion, and without a maximum some amount gives as much.
        """
        every = self.bonus_every_units
        if not every or (self.maximum_units and self.maximum_units < every):
            return (self.target_units, self.source_units)
        return (self.target_units * every + self.bonus_units * self.source_units, self.source_units * every)

    @property
    def least_used(self) -> int:
        """How many source points the smallest conversion uses that gives anything."""
        asked = max(ceil_ratio(self.source_units, 1, self.target_units), self.minimum_units, 1)
        blocks = ceil_ratio(asked, 1, self.block_units) * self.block_units
        return convert_at(self, blocks).used_units

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is in force at an instant."""
        return self.effective_at <= moment and (self.ends_at is None or moment < self.ends_at)

    def begins_within(self, other: Rate) -> bool:
        """Whether it begins while another one holds, or with it."""
        return other.holds_at(self.effective_at)


class Converted(NamedTuple):
    """What a conversion uses and gives, in points, and costs in fees, micro-units."""

    used_units: int
    received_units: int
    fee_micros: int


_CONVERTED: Final[Any] = Converted


def _converted(used_units: int, received_units: int, fee_micros: int) -> Converted:
    return cast("Converted", made(_CONVERTED, (used_units, received_units, fee_micros)))


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
    return _converted(used, received, rate.fee_micros + per_point)


@dataclass(frozen=True, slots=True)
class Coalition:
    """Directory and rates of one version: all that rules need beside the member.

    Attributes:
        directory: who takes part, and at which prices.
        rates: versions for everybody by pair, oldest first, without those that never hold; see `by_pair`.
        tiered: the same for members of a tier, by pair and tier.
        published: every version there is, in no order.
        idle_after: after how long without anything done points end, by number of the currencies where they do.
        capped_since: when a pair's first version with a daily cap was published: from then on use of it is counted.
        promotions: every one there ever was.
        keepers: issuers that keep the balances of a currency themselves, by its number.
    """

    directory: Directory
    rates: Mapping[Pair, list[Rate]] = field(default_factory=dict)
    tiered: Mapping[TierPair, list[Rate]] = field(default_factory=dict)
    published: Sequence[Rate] = ()
    capped_since: Mapping[Pair, datetime] = field(default_factory=dict)
    idle_after: Mapping[int, timedelta] = field(default_factory=dict)
    promotions: Promotions = NO_PROMOTIONS
    limits: Limits = NO_LIMITS
    keepers: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        directory: Directory,
        rates: Iterable[Rate],
        promotions: Promotions = NO_PROMOTIONS,
        limits: Limits = NO_LIMITS,
    ) -> Coalition:
        """A directory with every version of every rate, every promotion, and the limits."""
        every = list(rates)
        tiered: dict[TierPair, list[Rate]] = {}
        for versions in by_pair(rate for rate in every if rate.tier).values():
            for rate in versions:
                tiered.setdefault((rate.pair, rate.tier), []).append(rate)
        capped: dict[Pair, datetime] = {}
        for rate in every:
            if rate.member_daily_cap_units:
                capped[rate.pair] = min(rate.published_at, capped.get(rate.pair, rate.published_at))
        idle = {number: after for number, one in directory.currencies.items() if (after := one.idle_after) is not None}
        keepers = {number: directory.currencies[number].issuer_no for number in directory.external_ledgers}
        plain = by_pair(rate for rate in every if not rate.tier)
        return cls(directory, plain, tiered, every, capped, idle, promotions, limits, keepers)

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

    @property
    def capped(self) -> frozenset[tuple[int, str]]:
        """Merchants with a net debit cap, by number, each with the settlement currency."""
        return self.limits.capped

    @property
    def points_limits(self) -> Mapping[int, PointsLimit]:
        """Daily limits, by number of the currencies that have any."""
        return self.limits.points

    @property
    def operator_no(self) -> int:
        """The operator's number as a party of obligations."""
        return self.directory.operator_no

    @property
    def sponsor_nos(self) -> frozenset[int]:
        """Numbers of all merchants that ever sponsored a promotion."""
        return self.promotions.sponsor_nos

    def currency_name(self, currency_no: int) -> str:
        """The resource name of a currency."""
        return self.directory.currencies[currency_no].name

    def merchant_name(self, merchant_no: int) -> str:
        """The resource name of a merchant."""
        return self.directory.merchants[merchant_no].name

    def issuer_no(self, currency_no: int) -> int:
        """The number of the merchant that issues a currency."""
        return self.directory.currencies[currency_no].issuer_no

    @property
    def has_promotions(self) -> bool:
        """Whether there ever was a promotion."""
        return bool(self.promotions)

    def promotion(self, number: int) -> Promotion:
        """One that is known by its rows."""
        return self.promotions.by_number[number]

    def promotions_on(self, command: MemberCommand, at: datetime) -> Sequence[Promotion]:
        """Those that are on for an award or a conversion at an instant, oldest first."""
        if not self.promotions or command.kind not in {TransferKind.EARN, TransferKind.CONVERT}:
            return ()
        if command.spend_rule is not None:
            number = self.earn_rule_currency_no(command.spend_rule)
        else:
            number = self.currency_no(command.currency)
        if number is None:
            return ()
        if command.kind is TransferKind.EARN:
            return self.promotions.on_earn(command.merchant_no, number, at)
        target_no = self.currency_no(command.credits[0])
        return () if target_no is None else self.promotions_converting(number, target_no, at)

    def promotions_converting(self, source_no: int, target_no: int, at: datetime) -> Sequence[Promotion]:
        """Those that are on for conversions of a pair at an instant, oldest first."""
        return self.promotions.on_conversion(source_no, target_no, at) if self.promotions else ()

    def rate_at(self, pair: Pair, at: datetime, tier: str = "") -> Rate | None:
        """The version of a pair in force at an instant, None when there is none.

        A member with a tier gets the version for exactly that tier, else the one for everybody.
        """
        if tier:
            own = _in_force(self.tiered.get((pair, tier), ()), at)
            if own is not None:
                return own
        return _in_force(self.rates.get(pair, ()), at)


def _in_force(versions: Sequence[Rate], at: datetime) -> Rate | None:
    # From the newest: almost always it is the first one looked at.
    for place in range(len(versions) - 1, -1, -1):
        rate = versions[place]
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
