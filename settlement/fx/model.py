"""Sets of rates between settlement currencies, and what converting with one comes to. Values only, no floats."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from typing import NamedTuple

from settlement.refusals import FxRateMissing


class Basis(enum.StrEnum):
    """What is rounded to the minor unit of the other currency."""

    PER_ITEM = "per_item"
    """Each amount one owes another, by itself."""
    PER_POSITION = "per_position"
    """Each participant's net position in a currency, once."""


class FxRate(NamedTuple):
    """For `denominator` units of one currency one gets `numerator` units of another: whole units, not minor ones.

    Attributes:
        from_currency: ISO 4217 code.
        to_currency: ISO 4217 code.
        numerator: above 0.
        denominator: above 0.
        source: who quoted it.
        as_of: of which day it is, ISO 8601.
    """

    from_currency: str
    to_currency: str
    numerator: int
    denominator: int
    source: str
    as_of: str


class Cross(NamedTuple):
    """The exact ratio between two currencies' units; `via`: the base it goes through, empty when quoted directly."""

    numerator: int
    denominator: int
    via: str = ""


@dataclass(frozen=True, slots=True)
class FxSet:
    """A list of rates that never changes: other rates are another version.

    A rate holds in its own direction only. What has none goes through the base, with the exact product of two rates
    and one rounding; nothing is turned round, and no other currency is gone through.

    Attributes:
        name: what the terms call it, "month-end".
        version: 1, 2, 3 …
        base: through which currency may be gone; empty: through none.
        rates: no two for the same way.
    """

    name: str
    version: int
    base: str
    rates: tuple[FxRate, ...]

    @property
    def title(self) -> str:
        """Name and version, "month-end/3"."""
        return f"{self.name}/{self.version}"

    def cross(self, from_currency: str, to_currency: str) -> Cross:
        """The ratio to convert by.

        Raises:
            FxRateMissing: neither this way nor through the base is there a rate.
        """
        direct = self._rate(from_currency, to_currency)
        if direct is not None:
            return Cross(direct.numerator, direct.denominator)
        first, second = self._rate(from_currency, self.base), self._rate(self.base, to_currency)
        if first is None or second is None:
            raise FxRateMissing(fx_set=self.title, from_currency=from_currency, to_currency=to_currency)
        numerator, denominator = first.numerator * second.numerator, first.denominator * second.denominator
        common = gcd(numerator, denominator)
        return Cross(numerator // common, denominator // common, self.base)

    def _rate(self, from_currency: str, to_currency: str) -> FxRate | None:
        return next((one for one in self.rates if one[:2] == (from_currency, to_currency)), None)


@dataclass(frozen=True, slots=True)
class FxChoice:
    """What the coalition agreed about currencies.

    Attributes:
        fx_set: the name of the set; a run takes its newest version.
        basis: what is rounded.
        into: the currency in which a participant pays and receives everything, by participant.
    """

    fx_set: str
    basis: Basis
    into: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FxTerms:
    """How a run converts.

    Attributes:
        fx: the approved set, frozen.
        digest: SHA-256 of the set as it was approved.
        basis: what is rounded.
        into: the currency in which a participant pays and receives everything, by participant. Who is not here
            pays and receives each currency in itself.
    """

    fx: FxSet
    digest: str
    basis: Basis
    into: Mapping[str, str] = field(default_factory=dict)


class Sides(NamedTuple):
    """Two figures of which the first is owed to somebody, the second by it."""

    receivable: int = 0
    payable: int = 0

    @property
    def net(self) -> int:
        """What is left to receive; below 0: to pay."""
        return self.receivable - self.payable


class Converted(NamedTuple):
    """A participant's position in one currency, converted into another both ways; minor units of each.

    Attributes:
        participant: whose.
        from_currency: of `receivable` and `payable`.
        into_currency: of the other amounts.
        receivable: what it is owed.
        payable: what it owes.
        item_receivable: each amount it is owed, converted and rounded, in all.
        item_payable: likewise of what it owes.
        position_receivable: its net position, converted and rounded once, if it receives; else 0.
        position_payable: likewise if it pays.
        numerator: of the ratio used; 0 for the operator, who takes what the others' rounding leaves.
        denominator: likewise.
        via: the base that was gone through; empty: none.
    """

    participant: str
    from_currency: str
    into_currency: str
    receivable: int
    payable: int
    item_receivable: int
    item_payable: int
    position_receivable: int
    position_payable: int
    numerator: int
    denominator: int
    via: str

    @property
    def net(self) -> int:
        """Of the first currency: what is to be received; below 0: to be paid."""
        return self.receivable - self.payable

    @property
    def per_item(self) -> int:
        """The same in the second, item by item."""
        return self.item_receivable - self.item_payable

    @property
    def per_position(self) -> int:
        """The same in the second, of the position."""
        return self.position_receivable - self.position_payable

    @property
    def difference(self) -> int:
        """By how much item by item gives the participant more; below 0: less."""
        return self.per_item - self.per_position

    def by(self, basis: Basis) -> int:
        """What the position comes to on a basis."""
        return self.per_item if basis is Basis.PER_ITEM else self.per_position
