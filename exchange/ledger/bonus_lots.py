"""Lots of bonuses: put beside the lot of the movement they belong to, and taken from when that is reversed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from exchange.ledger.model import Account, Lot, NewLot, Posting, Side

if TYPE_CHECKING:
    from exchange.ledger.facts import MemberFacts


def place_bonuses(posting: Posting, facts: MemberFacts, transfer_id: UUID, born: Mapping[int, UUID]) -> None:
    """Put the lots of bonuses there, and their ids into the legs: each credit without a lot begins the next lot."""
    lots = [born[lot.currency_no] for lot in posting.new_lots]
    for bonus in posting.bonuses:
        if not bonus.returned:
            assert bonus.lot_id is not None, "the lot of a bonus has its id before it is applied"
            account = facts.accounts[bonus.currency_no]
            lot = NewLot(bonus.currency_no, bonus.units, bonus.funder_no, bonus.price_micros, bonus.expires_at)
            account.changed[bonus.lot_id] = (lot, transfer_id)
            account.known[bonus.lot_id] = Lot(
                bonus.lot_id, 0, lot.funder_no, lot.price_micros, facts.now, lot.expires_at
            )
            lots.append(bonus.lot_id)
    following = iter(lots)
    lot_id = None
    for place, leg in enumerate(posting.legs):
        if leg.account == Account.MEMBER and leg.lot_id is None:
            if leg.side == Side.CREDIT:
                lot_id = next(following)
            posting.legs[place] = leg._replace(lot_id=lot_id)


def take_each(lots: Sequence[Lot], wishes: Sequence[tuple[UUID, int]]) -> tuple[list[tuple[Lot, int]], list[int]]:
    """Which lots give how many points to wishes, each a lot and units, and how many each wish gets.

    Everybody gets from its own lot first; then, in their order, from what is left of all in spending order.
    """
    left = {lot.lot_id: lot.remaining for lot in lots}
    got = []
    for lot_id, units in wishes:
        own = min(left.get(lot_id, 0), units)
        if own:
            left[lot_id] -= own
        got.append(own)
    for place, (_, units) in enumerate(wishes):
        for lot in lots:
            part = min(left[lot.lot_id], units - got[place])
            left[lot.lot_id] -= part
            got[place] += part
    owns = [lot_id for lot_id, _ in wishes]
    order = sorted(lots, key=lambda lot: owns.index(lot.lot_id) if lot.lot_id in owns else len(owns))
    return [(lot, lot.remaining - left[lot.lot_id]) for lot in order if lot.remaining > left[lot.lot_id]], got
