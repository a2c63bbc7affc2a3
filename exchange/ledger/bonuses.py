"""Bonus points as the ledger knows them: lots that promotions gave, budgets they may not pass, and what went back.

A member's cap is guarded by the lock on the account the bonus goes to; a budget is a row of its own, locked after all
accounts. All of it is here only in a batch that a promotion concerns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Bonus(NamedTuple):
    """Points a promotion gave beside a movement, as a lot of their own, or that a reversal took back.

    Attributes:
        promotion_no: whose.
        currency_no: of the points.
        units: how many.
        returned: whether they were taken back.
        lot_id: the lot they went into; one that is made gets its id when the posting is applied.
        funder_no: of a lot that is made.
        price_micros: likewise.
        expires_at: likewise.
    """

    promotion_no: int
    currency_no: int
    units: int
    returned: bool = False
    lot_id: UUID | None = None
    funder_no: int = 0
    price_micros: int = 0
    expires_at: datetime | None = None


class GivenBonus(NamedTuple):
    """A bonus of an earlier transfer, and how much of it reversals took back."""

    promotion_no: int
    lot_id: UUID
    units: int
    returned_units: int

    @property
    def left(self) -> int:
        """Points that may still be taken back."""
        return self.units - self.returned_units


class Budgets:
    """Bonus points given of budgets that the batch has locked. A budget that is not here had nothing left."""

    def __init__(self, used: Mapping[int, int]) -> None:
        self._found = dict(used)
        self._used = dict(used)

    def left_of(self, promotion_no: int, budget_units: int) -> int:
        """Points a promotion may still give."""
        used = self._used.get(promotion_no)
        return 0 if used is None else budget_units - used

    def use(self, promotion_no: int, units: int) -> None:
        """Give points of a budget, or below zero take back what was given; of a promotion without one, nothing."""
        if promotion_no in self._used:
            self._used[promotion_no] += units

    def changed(self) -> list[tuple[int, int]]:
        """Promotion and points used, of each that the batch changed; in lock order."""
        return sorted((number, used) for number, used in self._used.items() if used != self._found[number])

    def as_now(self) -> dict[int, int]:
        """For `back_to`, when a group that was tried out must be undone."""
        return dict(self._used)

    def back_to(self, used: Mapping[int, int]) -> None:
        """Undo everything since."""
        self._used = dict(used)


@dataclass(slots=True)
class BonusFacts:
    """What a rule may know of one member's bonuses.

    Attributes:
        budgets: shared by all members of the batch.
        used: points the member has of each promotion with a member cap that may apply.
        changed: which of them the batch changed.
        given: bonuses of transfers that commands follow, by transfer.
        promotion_of: by lot, of lots that may end in this batch and are bonuses.
        entries: what the batch gave and took back, by transfer.
    """

    budgets: Budgets
    used: dict[int, int] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    given: dict[UUID, list[GivenBonus]] = field(default_factory=dict)
    promotion_of: dict[UUID, int] = field(default_factory=dict)
    entries: list[tuple[UUID, Bonus]] = field(default_factory=list)

    def copy(self) -> BonusFacts:
        """For trying out a group that may have to be undone; the budgets are undone for all members at once."""
        return BonusFacts(
            budgets=self.budgets,
            used=dict(self.used),
            changed=set(self.changed),
            given={transfer: list(bonuses) for transfer, bonuses in self.given.items()},
            promotion_of=dict(self.promotion_of),
            entries=list(self.entries),
        )

    def left_for_member(self, promotion_no: int, cap_units: int) -> int:
        """Points a promotion may still give this member."""
        return cap_units - self.used[promotion_no]

    def note(self, bonuses: Sequence[Bonus], transfer_id: UUID, original_id: UUID | None) -> None:
        """Carry what a posting gave or took back into the facts.

        Args:
            bonuses: of the posting, each in its lot.
            transfer_id: the transfer it becomes.
            original_id: of a reversal: whose bonuses it took back.
        """
        for bonus in bonuses:
            self.entries.append((transfer_id, bonus))
            number, units = bonus.promotion_no, -bonus.units if bonus.returned else bonus.units
            self.budgets.use(number, units)
            if number in self.used:
                self.used[number] += units
                self.changed.add(number)
            if not bonus.returned and bonus.lot_id is not None:
                self.promotion_of[bonus.lot_id] = number
            if bonus.returned:
                assert original_id is not None, "only a reversal takes back"
                self._take_back(original_id, bonus)

    def _take_back(self, original_id: UUID, bonus: Bonus) -> None:
        self.given[original_id] = [
            one._replace(returned_units=one.returned_units + bonus.units) if one.lot_id == bonus.lot_id else one
            for one in self.given[original_id]
        ]
