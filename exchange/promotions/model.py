"""What a promotion is: to which movements it adds how much, who pays, and where it ends. Immutable."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from exchange.money.limits import BASIS_POINTS
from exchange.money.rounding import apportioned, floor_ratio

BONUS_BPS_MAX = 1_000_000
"""A hundred times what a movement gave."""
SPONSORS_MAX = 50


class PromotionKind(enum.IntEnum):
    """What a promotion adds to; numbered as `exchange.v1.Promotion.Kind`."""

    EARN_BONUS = 1
    CONVERSION_BONUS = 2


class Sponsor(NamedTuple):
    """Who pays `share_bps` of a bonus, basis points."""

    merchant_no: int
    share_bps: int


class Promotion(NamedTuple):
    """Bonus points of one currency, from `effective_at` until before `ends_at`.

    Attributes:
        number: stands for it in ledger rows.
        promotion_id: "K1".
        kind: awards or conversions.
        merchant_no: whose awards; None: everybody's, and for conversions.
        source_no: of conversions; None: for awards.
        currency_no: what the bonus is in.
        bonus_bps: of what the movement gave, basis points; 0: `bonus_units` says it.
        bonus_units: on each movement.
        member_cap_units: most for one member; 0: no cap.
        budget_units: most in all; 0: no budget.
        sponsors: by merchant id; together at most 10 000 basis points.
    """

    number: int
    promotion_id: str
    kind: PromotionKind
    merchant_no: int | None
    source_no: int | None
    currency_no: int
    bonus_bps: int
    bonus_units: int
    member_cap_units: int
    budget_units: int
    effective_at: datetime
    ends_at: datetime | None
    created_at: datetime
    sponsors: Sequence[Sponsor] = ()

    @property
    def name(self) -> str:
        """Resource name."""
        return f"promotions/{self.promotion_id}"

    def is_on(self, at: datetime) -> bool:
        """Whether it gives anything at an instant."""
        return self.effective_at <= at and (self.ends_at is None or at < self.ends_at)

    def bonus_on(self, units: int) -> int:
        """Points on a movement that gave `units`, before cap and budget."""
        if not units:
            return 0
        return floor_ratio(units, self.bonus_bps, BASIS_POINTS) if self.bonus_bps else self.bonus_units

    def shares_of(self, micros: int, issuer_no: int) -> list[tuple[int, int]]:
        """Which sponsor pays how much of an amount. The issuer's own share, and what nobody pays, is not among them.

        All shares together with that are exactly the amount.
        """
        unpaid = BASIS_POINTS - sum(sponsor.share_bps for sponsor in self.sponsors)
        parts = apportioned(micros, [*(sponsor.share_bps for sponsor in self.sponsors), unpaid])
        return [
            (sponsor.merchant_no, part)
            for sponsor, part in zip(self.sponsors, parts, strict=False)
            if part and sponsor.merchant_no != issuer_no
        ]

    def funder_no(self, issuer_no: int) -> int:
        """Who stands for all that pay: the greatest share, the first of equal ones; the issuer when there is none."""
        if not self.sponsors:
            return issuer_no
        return max(self.sponsors, key=lambda sponsor: sponsor.share_bps).merchant_no

    def concerns(self, merchant_no: int | None, issuer_no: int) -> bool:
        """Whether it is a merchant's business: it awards under it, sponsors it, or issues the bonus."""
        parties = {self.merchant_no, issuer_no, *(sponsor.merchant_no for sponsor in self.sponsors)}
        return merchant_no in parties


@dataclass(frozen=True, slots=True)
class Promotions:
    """Every promotion there ever was, by number, and which may apply to what."""

    by_number: Mapping[int, Promotion] = field(default_factory=dict)
    _of_earns: Mapping[tuple[int | None, int], Sequence[Promotion]] = field(default_factory=dict)
    _of_pairs: Mapping[tuple[int | None, int], Sequence[Promotion]] = field(default_factory=dict)

    @classmethod
    def of(cls, promotions: Iterable[Promotion]) -> Promotions:
        """Sorted out by what they add to."""
        by_number = {one.number: one for one in sorted(promotions, key=lambda one: one.number)}
        earns: dict[tuple[int | None, int], list[Promotion]] = {}
        pairs: dict[tuple[int | None, int], list[Promotion]] = {}
        for one in by_number.values():
            if one.kind is PromotionKind.EARN_BONUS:
                earns.setdefault((one.merchant_no, one.currency_no), []).append(one)
            else:
                pairs.setdefault((one.source_no, one.currency_no), []).append(one)
        return cls(by_number, earns, pairs)

    @property
    def sponsor_nos(self) -> frozenset[int]:
        """Numbers of all merchants that ever sponsored one."""
        return frozenset(sponsor.merchant_no for one in self.by_number.values() for sponsor in one.sponsors)

    def __bool__(self) -> bool:
        return bool(self.by_number)

    def on_earn(self, merchant_no: int, currency_no: int, at: datetime) -> list[Promotion]:
        """Those that add to an award, oldest first."""
        own, everybodys = (
            self._of_earns.get((merchant_no, currency_no), ()),
            self._of_earns.get((None, currency_no), ()),
        )
        return sorted(one for one in (*own, *everybodys) if one.is_on(at))

    def on_conversion(self, source_no: int, target_no: int, at: datetime) -> list[Promotion]:
        """Those that add to a conversion, oldest first."""
        return [one for one in self._of_pairs.get((source_no, target_no), ()) if one.is_on(at)]


NO_PROMOTIONS = Promotions()
