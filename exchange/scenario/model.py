"""What a scenario file says. `line` is where it says so, counting from 1.

Points are whole; prices and fees are micro-units of the coalition's settlement currency; `minimum_payment` and every
figure of an expected window are its minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Coalition:
    """Who runs it, in which money it settles (ISO 4217), and below which net nothing is paid (minor units)."""

    operator: str
    currency: str
    minimum_payment: int


@dataclass(frozen=True, slots=True)
class Merchant:
    """A participant; roles in small letters: earning, redemption, discount, exchange, general."""

    id: str
    roles: tuple[str, ...]
    cash_agent: bool
    line: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a point costs from an instant on, in micro-units."""

    effective: datetime
    issue: int
    redeem: int
    conversion_in: int
    conversion_out: int
    cash_out: int
    cash_out_fee_bps: int
    line: int


@dataclass(frozen=True, slots=True)
class Expiry:
    """How points end: `days` with "days" and "inactivity", the year's last day and the grace with "fiscal_year"."""

    policy: str = "none"
    days: int = 0
    year_ends_month: int = 0
    year_ends_day: int = 0
    grace_months: int = 0


@dataclass(frozen=True, slots=True)
class Currency:
    """A points currency."""

    code: str
    issuer: str
    prices: tuple[Price, ...]
    expiry: Expiry
    breakage_share_bps: int
    negative_balances: bool
    line: int


@dataclass(frozen=True, slots=True)
class Rate:
    """`source_units` of `source` become `target_units` of `target`; effective None: from the beginning, until ended."""

    source: str
    target: str
    source_units: int
    target_units: int
    block: int
    minimum: int
    maximum: int
    bonus_every: int
    bonus_points: int
    fee: int
    fee_per_point: int
    fee_cap: int
    member_daily_cap: int
    effective_from: datetime | None
    effective_until: datetime | None
    line: int
    tier: str = ""


@dataclass(frozen=True, slots=True)
class EarnRule:
    """`points` of `currency` for each full `per_amount` (minor units) spent at a merchant."""

    id: str
    merchant: str
    currency: str
    per_amount: int
    points: int
    carry_remainder: bool
    line: int


@dataclass(frozen=True, slots=True)
class Promotion:
    """Bonus points on awards of `currency` (by `merchant`, else by anybody), or on conversions of `source` into it.

    Either basis points or so many points on each; a cap or budget of 0 is none. `sponsors` are merchants, or the
    operator, with their shares in basis points. Effective None: from the beginning, until ended.
    """

    id: str
    kind: str
    merchant: str | None
    source: str | None
    currency: str
    bonus_bps: int
    bonus_points: int
    member_cap: int
    budget: int
    sponsors: tuple[tuple[str, int], ...]
    effective_from: datetime | None
    effective_until: datetime | None
    line: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of a member's points that follows no other.

    `target` and `tier` only for conversions, `expires` only for earns, `expires_in` (seconds) only for holds. An earn
    by spend has an `amount` (minor units) and the id of its `rule` instead of points.
    """

    op: str
    merchant: str
    member: str
    currency: str
    points: int
    line: int
    target: str | None = None
    tier: str = ""
    expires: datetime | None = None
    expires_in: int = 0
    amount: int = 0
    rule: str | None = None
    key: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A capture, void or reversal of the event with the key `of`, by that event's merchant.

    Neither `points` nor `retained` of `total`: all that is left.
    """

    op: str
    of: str
    line: int
    points: int | None = None
    retained: int | None = None
    total: int | None = None
    key: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """The clock moves forward."""

    to: datetime
    line: int


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """The open settlement window is cut off and netted."""

    line: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExpectRefusal:
    """A movement that must be refused, and for which reason."""

    reason: str
    movement: Movement | FollowUp
    line: int
    at: datetime | None = None


Event = Movement | FollowUp | Advance | CloseWindow | ExpectRefusal


@dataclass(frozen=True, slots=True)
class ExpectedWindow:
    """What a closed window must come to; None: not compared. A pair or net that is not named must be zero."""

    line: int
    pairs: Mapping[tuple[str, str], int] | None = None
    nets: Mapping[str, int] | None = None
    gross: int | None = None
    paid: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedConversion:
    """What the conversion of a key must have used and received, in points; None: not compared."""

    line: int
    used: int | None
    received: int | None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come of the day. `windows` None: no window is compared; otherwise all of them are, in order."""

    windows: tuple[ExpectedWindow, ...] | None = None
    balances: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(member, currency) -> available points."""
    balance_lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    converted: Mapping[str, ExpectedConversion] = field(default_factory=dict)
    reversed: Mapping[str, int] = field(default_factory=dict)
    """Key of the reversing event -> points taken back, or given back where points had been spent."""
    reversed_lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole file."""

    file: str
    coalition: Coalition
    clock: datetime
    merchants: tuple[Merchant, ...]
    currencies: tuple[Currency, ...]
    rates: tuple[Rate, ...]
    earn_rules: tuple[EarnRule, ...]
    promotions: tuple[Promotion, ...]
    events: tuple[Event, ...]
    expect: Expectation
