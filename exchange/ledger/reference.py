"""What the poster needs of the directory without knowing it: one version, its days, and numbers of currencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Command, MemberCommand, Posting
from exchange.ledger.quotas import PointsLimit


class Promoted(Protocol):
    """What the poster needs of a promotion: its number and its limits, 0 for none."""

    @property
    def number(self) -> int:
        """Stands for it in ledger rows."""
        ...

    @property
    def member_cap_units(self) -> int:
        """Most bonus points for one member."""
        ...

    @property
    def budget_units(self) -> int:
        """Most bonus points in all."""
        ...


class Reference(Protocol):
    """What rules need beside the member: the coalition's directory and rates, as of one version."""

    @property
    def version(self) -> int:
        """Which version of the coalition this is."""
        ...

    @property
    def time_zone(self) -> ZoneInfo:
        """In which the coalition's days begin."""
        ...

    @property
    def capped_since(self) -> Mapping[tuple[int, int], datetime]:
        """Pairs (source, target) of which a version caps what a member converts in a day, since when one was there."""
        ...

    @property
    def idle_after(self) -> Mapping[int, timedelta]:
        """Currencies whose points end by inactivity, by number: after how long."""
        ...

    @property
    def keepers(self) -> Mapping[int, int]:
        """Currencies whose balances their issuers keep themselves, by number: the issuer's number."""
        ...

    def currency_no(self, code: str) -> int | None:
        """The number of a currency code, None when there is none."""
        ...

    def confirm(self, credential: str) -> None:
        """Raise a refusal when a credential that was good when the call came in is no longer."""
        ...

    def earn_rule_currency_no(self, rule_id: str) -> int | None:
        """The number of the currency an earn rule makes, None when there is no such rule."""
        ...

    @property
    def has_promotions(self) -> bool:
        """Whether there ever was a promotion."""
        ...

    @property
    def capped(self) -> frozenset[tuple[int, str]]:
        """Merchants with a net debit cap, by number, each with the settlement currency."""
        ...

    @property
    def points_limits(self) -> Mapping[int, PointsLimit]:
        """Daily limits, by number of the currencies that have any."""
        ...

    @property
    def operator_no(self) -> int:
        """The operator's number as a party of obligations."""
        ...

    @property
    def sponsor_nos(self) -> frozenset[int]:
        """Numbers of all merchants that ever sponsored a promotion."""
        ...

    def currency_name(self, currency_no: int) -> str:
        """The resource name of a currency."""
        ...

    def merchant_name(self, merchant_no: int) -> str:
        """The resource name of a merchant."""
        ...

    def issuer_no(self, currency_no: int) -> int:
        """The number of the merchant that issues a currency."""
        ...

    def promotions_on(self, command: MemberCommand, at: datetime) -> Sequence[Promoted]:
        """Those that are on for an award or a conversion at an instant."""
        ...

    def promotions_converting(self, source_no: int, target_no: int, at: datetime) -> Sequence[Promoted]:
        """Those that are on for conversions of a pair at an instant."""
        ...

    def promotion(self, number: int) -> Promoted:
        """One that is known by its rows."""
        ...


R = TypeVar("R", bound=Reference)
R_co = TypeVar("R_co", bound=Reference, covariant=True)
Decide = Callable[[Command, MemberFacts, R], Posting]
AccountKey = tuple[int, UUID, int]
"""Bucket, member and currency number."""
Ending = Callable[[AccountKey, R], Command]
"""The exchange's own command that ends what is due of an account."""


class ReferenceSource(Protocol[R_co]):
    """Keeps the reference data in memory and reads it anew when its version has moved."""

    async def current(self) -> R_co:
        """What is in memory; it may lag behind."""
        ...

    async def reload(self) -> R_co:
        """Read anew."""
        ...
