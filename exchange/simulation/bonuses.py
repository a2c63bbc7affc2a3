"""What promotions would have given beside past movements, and what of it would have come back or ended. Pure.

Budgets and caps are counted on from what they were before the first day. What a bonus would have been spent on is not
followed: what came back or ended of a bonus that would have been the same is as it was; of another one, as much as
belongs to what came back of the award, and what it would have given more is left when its award's points end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from exchange.ledger.bonuses import BonusFacts, Budgets, GivenBonus
from exchange.ledger.facts import MemberFacts
from exchange.ledger.model import Account, Lot, Obligation, PointsLeg, Posting, Side, TransferKind
from exchange.promotions.model import Promotion
from exchange.promotions.rules import add_bonuses, return_bonuses
from exchange.rates.model import Coalition
from exchange.simulation.model import EndedLot, Happened, PastBonus, Played
from exchange.simulation.outcomes import owed_to_each, sponsors_owe


@dataclass(slots=True)
class Gift:
    """A bonus that would have been given, and how much of it came back or ended since."""

    promotion: Promotion
    lot: Lot
    returned: int = 0
    ended: int = 0

    @property
    def units(self) -> int:
        """Points given."""
        return self.lot.remaining

    @property
    def left(self) -> int:
        """Points that can come back or end."""
        return self.units - self.returned - self.ended


class Gifts(NamedTuple):
    """All that promotions would have added to one movement."""

    legs: Sequence[PointsLeg]
    obligations: Sequence[Obligation]
    gifts: Sequence[Gift]


class Giving:
    """Remembers of every movement what promotions would have added, since each is counted once and played often.

    Args:
        coalition: as it would have been.
        used: points given of budgets before the first day, by promotion number.
    """

    def __init__(self, coalition: Coalition, used: Mapping[int, int]) -> None:
        self._coalition = coalition
        self._promotions = coalition.promotions.by_number
        # By id: a promotion of the draft goes on with what the one in whose place it comes had given.
        self._budgets = Counter({self._key(number): units for number, units in used.items()})
        self._capped = {one.promotion_id.lower() for one in self._promotions.values() if one.member_cap_units}
        self._members: dict[UUID, Counter[str]] = {}
        self._of: dict[UUID, Gifts] = {}
        self._lots = 0
        """Made up so far: their ids are small numbers, which no real lot has."""

    def meet(self, happened: Happened) -> None:
        """Take in what a member had of caps before the first day, where it is seen first."""
        if happened.used_before and happened.transfer.member_id not in self._members:
            before = Counter({self._key(number): units for number, units in happened.used_before.items()})
            self._members[happened.transfer.member_id] = before

    def keep(self, happened: Happened) -> None:
        """Count the bonuses of a movement that stays as it was."""
        for bonus in happened.bonuses:
            units = -bonus.units if bonus.returned else bonus.units
            self._count(self._promotions[bonus.promotion_no], happened.transfer.member_id, units)

    def of(self, happened: Happened) -> Gifts | None:
        """What was added to a movement when it was counted; None: no promotion was on."""
        name = happened.transfer.transfer_id
        return None if name is None else self._of.get(name)

    def add(self, posting: Posting, promotions: Sequence[Promotion], facts: MemberFacts, happened: Happened) -> None:
        """Add bonuses to the posting of an award or a conversion: the same ones, however often it is played.

        Raises:
            AmountOverflow: see `add_bonuses`.
        """
        gifts = self.of(happened)
        if gifts is not None:
            posting.legs += gifts.legs
            posting.obligations += gifts.obligations
        elif promotions:
            self._add(posting, promotions, facts, happened)

    def _add(self, posting: Posting, promotions: Sequence[Promotion], facts: MemberFacts, happened: Happened) -> None:
        name, member_id = happened.transfer.transfer_id, happened.transfer.member_id
        assert name is not None, "what happened has an id"
        members = self._members.get(member_id, Counter())
        # A draft may say less than was given already.
        budgets = {one.number: min(self._budgets[self._key(one.number)], one.budget_units) for one in promotions}
        used = {one.number: min(members[self._key(one.number)], one.member_cap_units) for one in promotions}
        facts.bonuses = BonusFacts(Budgets(budgets), used=used)
        legs, obligations = len(posting.legs), len(posting.obligations)
        add_bonuses(posting, promotions, facts, self._coalition.directory)
        gifts = []
        for bonus in posting.bonuses:
            promotion = self._promotions[bonus.promotion_no]
            self._lots += 1
            lot = Lot(UUID(int=self._lots), bonus.units, bonus.funder_no, bonus.price_micros, facts.now, None)
            gifts.append(Gift(promotion, lot))
            self._count(promotion, member_id, bonus.units)
        self._of[name] = Gifts(posting.legs[legs:], posting.obligations[obligations:], gifts)

    def told(self, played: Played, happened: Happened) -> Played:
        """What came of an award or a conversion, with what promotions had to do with it."""
        gifts = self.of(happened)
        if gifts is None:
            return played
        bonuses = {gift.promotion.number: gift.units for gift in gifts.gifts}
        return played._replace(bonuses=bonuses, sponsored=sponsors_owe(gifts.obligations))

    def take_back(self, played: Played, happened: Happened, part: int, total: int, facts: MemberFacts) -> Played:
        """What comes of a reversal, with what it takes back of bonuses.

        Args:
            played: what comes of it without them; of a conversion the legs have them already.
            happened: the reversal.
            part: points of the original itself that it moves.
            total: all points of the original itself.
            facts: with the account of the bonuses.
        """
        original = happened.original
        assert original is not None, "a reversal follows what it reverses"
        back = [(gift, self._back(gift, happened, part, total)) for gift in self._gifts(original)]
        given = []
        for gift, units in back:
            facts.accounts[gift.promotion.currency_no].show(gift.lot, facts.now)
            given.append((GivenBonus(gift.promotion.number, gift.lot.lot_id, gift.units, gift.returned), units))
            gift.returned += units
            self._count(gift.promotion, happened.transfer.member_id, -units)
        posting = return_bonuses(Posting([]), given, facts, self._coalition.directory, self._coalition.promotions)
        if original.transfer.kind == TransferKind.EARN:
            # Whatever of it paid what: so many points are burnt.
            number, burnt = original.transfer.legs[0].currency_no if original.transfer.legs else 0, part
            burnt += sum(units for _, units in back)
            leg = PointsLeg(Account.CIRCULATION, Side.CREDIT, number, burnt, None, None)
            played = played._replace(legs=[leg] if burnt else [])
        return played._replace(
            obligations=[*played.obligations, *posting.obligations],
            bonuses={bonus.promotion_no: bonus.units for bonus in posting.bonuses},
            sponsored=owed_to_each(posting.obligations),
        )

    def _back(self, gift: Gift, happened: Happened, part: int, total: int) -> int:
        """How many points of a bonus come back."""
        original = happened.original
        assert original is not None
        was = self._was(gift, original)
        if was is not None and was.units == gift.units:
            units = sum(one.units for one in happened.bonuses if one.lot_id == was.lot_id)
        else:
            kept = total - happened.before_units - part
            units = max(gift.units - gift.returned - gift.units * kept // total, 0)
        return min(units, gift.left)

    def end(self, birth: Happened, ended: Mapping[UUID, EndedLot]) -> list[tuple[Gift, int]]:
        """Which bonuses of a movement end, and how many points of each, where these lots ended."""
        ending = []
        for gift in self._gifts(birth):
            was = self._was(gift, birth)
            units = ended[was.lot_id].units if was is not None and was.lot_id in ended else 0
            if not gift.ended:
                units += gift.units - (0 if was is None else was.units)
            units = min(max(units, 0), gift.left)
            gift.ended += units
            if units:
                ending.append((gift, units))
        return ending

    def _gifts(self, happened: Happened) -> Sequence[Gift]:
        gifts = self.of(happened)
        return () if gifts is None else gifts.gifts

    def _was(self, gift: Gift, happened: Happened) -> PastBonus | None:
        """What the same promotion gave when it happened."""
        key = gift.promotion.promotion_id.lower()
        return next((one for one in happened.bonuses if self._key(one.promotion_no) == key), None)

    def _count(self, promotion: Promotion, member_id: UUID, units: int) -> None:
        key = promotion.promotion_id.lower()
        self._budgets[key] += units
        if key in self._capped:
            self._members.setdefault(member_id, Counter())[key] += units

    def _key(self, number: int) -> str:
        return self._promotions[number].promotion_id.lower()
