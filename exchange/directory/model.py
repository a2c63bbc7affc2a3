"""The coalition as it stands: merchants with roles, currencies with effective-dated prices, credentials. Immutable."""

from __future__ import annotations

import enum
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.callers import CallerRole
from exchange.refusals import (
    CredentialUnknown,
    CurrencySuspended,
    MerchantSuspended,
    NoPrice,
    ResourceNotFound,
    RoleMissing,
)

MONTHS: Final = 12


class MerchantRole(enum.IntEnum):
    """What a merchant may do; numbered as `exchange.v1.MerchantRole`."""

    DISCOUNT = 1
    REDEMPTION = 2
    EARNING = 3
    EXCHANGE = 4
    GENERAL = 5


class ExpiryKind(enum.IntEnum):
    """How points run out; numbered as `exchange.v1.ExpiryPolicy.Kind`."""

    NONE = 1
    DAYS = 2
    EXPLICIT = 3
    FISCAL_YEAR = 4
    INACTIVITY = 5


@dataclass(frozen=True, slots=True)
class Merchant:
    """A participant (商家). `number` stands for it in ledger rows, `name` is its resource name.

    `has_left`: for good, as whoever clears certified; it stays suspended.
    """

    number: int
    merchant_id: str
    display_name: str
    roles: frozenset[MerchantRole]
    cash_agent: bool
    suspended: bool
    created_at: datetime
    has_left: bool = False
    name: str = field(init=False)

    def __post_init__(self) -> None:
        # Written out once: every transfer names half a dozen merchants.
        object.__setattr__(self, "name", f"merchants/{self.merchant_id}")

    def require_active(self) -> None:
        """Raises MerchantSuspended when it is."""
        if self.suspended:
            raise MerchantSuspended(merchant=self.name)

    def require_role(self, role: MerchantRole) -> None:
        """Raises RoleMissing, naming the role, when the merchant does not hold it."""
        if role not in self.roles:
            raise RoleMissing(merchant=self.name, role=role.name)


class Price(NamedTuple):
    """Money per point, micro-units of the currency's settlement currency, from `effective_at` on (结算价)."""

    effective_at: datetime
    price_no: int
    issue_micros: int
    redeem_micros: int
    conversion_in_micros: int
    conversion_out_micros: int
    cash_out_micros: int
    cash_out_fee_bps: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Currency:
    """A points currency (积分币种) with all its prices, oldest first."""

    number: int
    code: str
    issuer_no: int
    display_name: str
    settlement_currency: str
    expiry_kind: ExpiryKind
    expiry_days: int
    breakage_share_bps: int
    negative_balances: bool
    suspended: bool
    created_at: datetime
    fiscal_year_end_month: int = 0
    fiscal_year_end_day: int = 0
    grace_months: int = 0
    prices: Sequence[Price] = ()
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"currencies/{self.code}")

    def require_active(self) -> None:
        """Raises CurrencySuspended when it is."""
        if self.suspended:
            raise CurrencySuspended(currency=self.name)

    @property
    def idle_after(self) -> timedelta | None:
        """After how long without anything done an account's points end; None: they do not end so."""
        return timedelta(days=self.expiry_days) if self.expiry_kind is ExpiryKind.INACTIVITY else None

    def expiry_of_lot(self, now: datetime, time_zone: ZoneInfo) -> datetime | None:
        """When a lot born now ends by the currency's policy, when nobody says otherwise. None: never, or by inactivity.

        Args:
            now: the moment of birth.
            time_zone: in which the coalition's days begin.
        """
        if self.expiry_kind is ExpiryKind.DAYS:
            return now + timedelta(days=self.expiry_days)
        if self.expiry_kind is ExpiryKind.FISCAL_YEAR:
            return self._end_of_fiscal_year(now.astimezone(time_zone))
        return None

    def _end_of_fiscal_year(self, now: datetime) -> datetime:
        """The midnight after the last day of the fiscal year `now` lies in, and after the months of grace."""
        month, year = self.fiscal_year_end_month, now.year
        if (now.month, now.day) > (month, self._last_day(year)):
            year += 1
        months = year * MONTHS + month - 1 + self.grace_months
        year, month = months // MONTHS, months % MONTHS + 1
        day = min(self.fiscal_year_end_day, monthrange(year, month)[1])
        return datetime(year, month, day, tzinfo=now.tzinfo) + timedelta(days=1)

    def _last_day(self, year: int) -> int:
        """The fiscal year's last day; one that the month does not have stands for the month's last."""
        return min(self.fiscal_year_end_day, monthrange(year, self.fiscal_year_end_month)[1])

    def price_at(self, at: datetime, wanted: str) -> Price:
        """The price in force at an instant; `wanted` says which of its figures is asked for, for the refusal.

        Raises:
            NoPrice: the first one begins later, or there is none.
        """
        # From the newest: almost always it is the first one looked at.
        for place in range(len(self.prices) - 1, -1, -1):
            price = self.prices[place]
            if price.effective_at <= at:
                return price
        raise NoPrice(currency=self.name, price=wanted, at=at.isoformat())


class EarnRule(NamedTuple):
    """So many points for each full so much spent, in minor units of the currency's settlement currency."""

    rule_id: str
    merchant_no: int
    currency_no: int
    per_minor_units: int
    points_units: int
    carry_remainder: bool

    @property
    def name(self) -> str:
        """Resource name."""
        return f"earnRules/{self.rule_id}"


class ReturnBand(NamedTuple):
    """How much of the money spent a merchant's earn rules may give back in points, from an instant on.

    Attributes:
        effective_at: from when on, until the next one of the merchant.
        sector: `exchange.directory.bands.Sector`.
        max_bps: basis points of the money spent.
        action: `exchange.directory.bands.BandAction`.
    """

    effective_at: datetime
    sector: int
    max_bps: int
    action: int


class Credential(NamedTuple):
    """An API key without its secret."""

    key_id: UUID
    role: CallerRole
    merchant_no: int | None
    display_name: str
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    holder: str | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"apiKeys/{self.key_id}"


class ExternalLedger(NamedTuple):
    """That the issuer of a currency keeps its members' balances itself, and how many seconds it has to answer."""

    currency_no: int
    answer_seconds: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One version of who takes part."""

    version: int
    operator_no: int
    time_zone: ZoneInfo
    merchants: Mapping[int, Merchant]
    currencies: Mapping[int, Currency]
    credentials: Mapping[bytes, Credential]
    earn_rules: Mapping[str, EarnRule] = field(default_factory=dict)
    return_bands: Mapping[int, Sequence[ReturnBand]] = field(default_factory=dict)
    external_ledgers: Mapping[int, ExternalLedger] = field(default_factory=dict)
    _credentials_by_name: Mapping[str, Credential] = field(default_factory=dict)
    _by_id: Mapping[str, Merchant] = field(default_factory=dict)
    _by_code: Mapping[str, Currency] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_name = {credential.name: credential for credential in self.credentials.values()}
        object.__setattr__(self, "_credentials_by_name", by_name)
        object.__setattr__(self, "_by_id", {merchant.merchant_id: merchant for merchant in self.merchants.values()})
        object.__setattr__(self, "_by_code", {currency.code: currency for currency in self.currencies.values()})

    @property
    def operator(self) -> Merchant:
        """The merchant of that name through which the operator takes part in clearing."""
        return self.merchants[self.operator_no]

    def confirm(self, credential: str, now: datetime | None = None) -> None:
        """Whether a credential that was good when the call came in still is.

        Args:
            credential: its name.
            now: what time it is in the real world, for calls that last.

        Raises:
            CredentialUnknown: it was revoked meanwhile, or has expired. Certificates end with their merchant, not here.
        """
        if credential.startswith("apiKeys/"):
            known = self._credentials_by_name.get(credential)
            if known is None or known.revoked_at is not None:
                raise CredentialUnknown
            if now is not None and known.expires_at is not None and known.expires_at <= now:
                raise CredentialUnknown

    def merchant(self, merchant_id: str, field: str = "name") -> Merchant:
        """A merchant by id.

        Raises:
            ResourceNotFound: there is none.
        """
        found = self._by_id.get(merchant_id)
        if found is None:
            raise ResourceNotFound(resource=f"merchants/{merchant_id}", field=field)
        return found

    def currency(self, code: str, field: str = "name") -> Currency:
        """A currency by code.

        Raises:
            ResourceNotFound: there is none.
        """
        found = self._by_code.get(code)
        if found is None:
            raise ResourceNotFound(resource=f"currencies/{code}", field=field)
        return found

    def currency_no(self, code: str) -> int | None:
        """The number of a code, None when there is no such currency."""
        found = self._by_code.get(code)
        return None if found is None else found.number
