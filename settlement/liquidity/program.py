"""A choice among whole items that needs a search, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from settlement.netting.model import Obligation


@dataclass(frozen=True, slots=True)
class Limit:
    """What a debtor pays less what it receives may not exceed what it has.

    weights: by number of the lot, what one item of it takes from the debtor; negative where the debtor receives.
    combinations: where they are few, the only counts of those lots, in that order, which a choice can have.
    """

    debtor: str
    weights: Mapping[int, int]
    at_most: int
    combinations: Sequence[tuple[int, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """Of each lot, how many items settle? Amounts and limits are multiples of `unit` minor units.

    lots: items of one debtor, creditor and amount; as they are alike, the first by id settle first.
    ceiling: no choice is worth more, in units: parts of items could not settle more either.
    """

    lots: Sequence[Sequence[Obligation]]
    amounts: Sequence[int]
    limits: Sequence[Limit]
    unit: int
    ceiling: int

    @property
    def narrow(self) -> bool:
        """Whether so many limits have lists of combinations that a search had better follow those."""
        return 2 * sum(limit.combinations is not None for limit in self.limits) >= len(self.limits)

    def value(self, counts: Sequence[int]) -> int:
        """What a choice settles, in units."""
        return sum(amount * count for amount, count in zip(self.amounts, counts, strict=True))

    def allows(self, counts: Sequence[int]) -> bool:
        """Whether a choice leaves nobody below zero, by plain addition."""
        return all(0 <= count <= len(lot) for lot, count in zip(self.lots, counts, strict=True)) and all(
            sum(weight * counts[lot] for lot, weight in limit.weights.items()) <= limit.at_most for limit in self.limits
        )

    def items(self, counts: Sequence[int]) -> list[Obligation]:
        """The items a choice settles."""
        return [item for lot, count in zip(self.lots, counts, strict=True) for item in lot[:count]]
