"""What can settle now. Amounts are whole minor units of one currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from settlement.netting.model import Obligation


@dataclass(frozen=True, slots=True)
class Queue:
    """One currency's items waiting to settle, in file order, and what each participant has to pay with.

    Ids are unique. Who is not in `funds` has nothing. Held items wait whatever the funds.
    """

    currency: str
    items: Sequence[Obligation]
    funds: Mapping[str, int]

    @property
    def free(self) -> list[Obligation]:
        """The items that may settle."""
        return [item for item in self.items if not item.held]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a way of settling decided for the items that are not held.

    settled: id to amount; what is not in it stays.
    ceiling: no choice that obeys the same rule settles more; equal to what is settled when that is proven best.
    """

    settled: Mapping[str, int]
    ceiling: int


@dataclass(frozen=True, slots=True)
class LiquidityResult:
    """One currency settled as far as the funds reach, everything at the same moment.

    gross: all items, held ones too.
    settled, unsettled: id to amount, in file order, zero left out; together they are the items.
    balances: what everybody has afterwards, in name order; never negative.
    ceiling: no other choice under the same rule settles more than this.
    divided: whether items may be settled in part.
    """

    currency: str
    gross: int
    settled: Mapping[str, int]
    unsettled: Mapping[str, int]
    balances: Mapping[str, int]
    ceiling: int
    divided: bool

    @property
    def settled_value(self) -> int:
        """The sum of what settles now."""
        return sum(self.settled.values())

    @property
    def optimal(self) -> bool:
        """Whether it is proven that no more can settle now under the same rule."""
        return self.settled_value == self.ceiling
