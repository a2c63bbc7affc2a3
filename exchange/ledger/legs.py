"""Points legs built and read: each builder makes the member's side and the issuer's, so that a transfer balances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from exchange.ledger.making import a_leg
from exchange.ledger.member_account import MemberAccount
from exchange.ledger.model import Account, Lot, NewLot, PointsLeg, Side, Transfer

# Plain numbers: looking a member of an enum up costs as much as half the leg it goes into.
_MEMBER: Final = int(Account.MEMBER)
_CIRCULATION: Final = int(Account.CIRCULATION)
_HELD: Final = int(Account.HELD)
_OVERDRAFT: Final = int(Account.OVERDRAFT)
_DEBIT: Final = int(Side.DEBIT)
_CREDIT: Final = int(Side.CREDIT)


def credited(lot: NewLot, account: MemberAccount) -> list[PointsLeg]:
    """Points made: circulation is debited, the member credited with a new lot; what the member owed is paid from it."""
    legs = _made(lot)
    return legs + _repaid(account.overdrawn, lot.currency_no, [(None, lot.units)]) if account.overdrawn else legs


def credited_beside(lot: NewLot, account: MemberAccount, before: Iterable[PointsLeg]) -> list[PointsLeg]:
    """A further lot of the same posting: what the member still owes after the legs before is paid from it."""
    repaid = sum(
        leg.units
        for leg in before
        if leg.account == _OVERDRAFT and leg.side == _CREDIT and leg.currency_no == lot.currency_no
    )
    return _made(lot) + _repaid(account.overdrawn - repaid, lot.currency_no, [(None, lot.units)])


def _made(lot: NewLot) -> list[PointsLeg]:
    return [
        a_leg(_CIRCULATION, _DEBIT, lot.currency_no, lot.units, None, None),
        a_leg(_MEMBER, _CREDIT, lot.currency_no, lot.units, None, None),
    ]


def returned(currency_no: int, lots: Sequence[tuple[UUID, int]], account: MemberAccount) -> list[PointsLeg]:
    """Points given back to the very lots they came from; what the member owed is paid from them."""
    units = sum(units for _, units in lots)
    legs = [PointsLeg(_CIRCULATION, _DEBIT, currency_no, units, None, None)]
    legs += [PointsLeg(_MEMBER, _CREDIT, currency_no, units, None, lot_id) for lot_id, units in lots]
    return legs + _repaid(account.overdrawn, currency_no, lots)


def debited(currency_no: int, taken: Sequence[tuple[Lot, int]], *, overdrawn: int = 0) -> list[PointsLeg]:
    """Points burnt: the member is debited lot by lot, and for what is missing beyond them; circulation is credited."""
    legs, total = [], overdrawn
    for lot, units in taken:
        legs.append(a_leg(_MEMBER, _DEBIT, currency_no, units, None, lot.lot_id))
        total += units
    if overdrawn:
        legs.append(a_leg(_OVERDRAFT, _DEBIT, currency_no, overdrawn, None, None))
    legs.append(a_leg(_CIRCULATION, _CREDIT, currency_no, total, None, None))
    return legs


def forgiven(currency_no: int, units: int) -> list[PointsLeg]:
    """What a member owes is let go: circulation is debited as if points had been made to pay it."""
    return [
        a_leg(_CIRCULATION, _DEBIT, currency_no, units, None, None),
        a_leg(_OVERDRAFT, _CREDIT, currency_no, units, None, None),
    ]


def held(currency_no: int, taken: Iterable[tuple[Lot, int]]) -> list[PointsLeg]:
    """Points reserved, lot by lot."""
    return _moved(_MEMBER, _HELD, currency_no, ((lot.lot_id, units) for lot, units in taken))


def released(currency_no: int, lots: Sequence[tuple[UUID, int]], account: MemberAccount) -> list[PointsLeg]:
    """Reserved points given back to their lots; what the member owed is paid from them."""
    return _moved(_HELD, _MEMBER, currency_no, lots) + _repaid(account.overdrawn, currency_no, lots)


def captured(currency_no: int, lots: Sequence[tuple[UUID, int]]) -> list[PointsLeg]:
    """Reserved points burnt."""
    legs = [PointsLeg(_HELD, _DEBIT, currency_no, units, None, lot_id) for lot_id, units in lots]
    legs.append(a_leg(_CIRCULATION, _CREDIT, currency_no, sum(u for _, u in lots), None, None))
    return legs


def converted_pair(conversion: Transfer) -> tuple[int, int]:
    """Currency numbers of what a conversion burnt and minted."""
    circulation = [leg for leg in conversion.legs if leg.account == _CIRCULATION]
    # Promotions mint more of the same.
    burnt, minted, *_ = sorted(circulation, key=lambda leg: leg.side != _CREDIT)
    return burnt.currency_no, minted.currency_no


def _moved(source: int, target: int, currency_no: int, lots: Iterable[tuple[UUID, int]]) -> list[PointsLeg]:
    legs = []
    for lot_id, units in lots:
        legs.append(a_leg(source, _DEBIT, currency_no, units, None, lot_id))
        legs.append(a_leg(target, _CREDIT, currency_no, units, None, lot_id))
    return legs


def _repaid(owed: int, currency_no: int, given: Sequence[tuple[UUID | None, int]]) -> list[PointsLeg]:
    """While a member owes points, what it is given goes to that first. A lot of None is the posting's new one."""
    legs = []
    for lot_id, units in given:
        part = min(owed, units)
        if part:
            legs.append(a_leg(_MEMBER, _DEBIT, currency_no, part, None, lot_id))
            legs.append(a_leg(_OVERDRAFT, _CREDIT, currency_no, part, None, None))
            owed -= part
    return legs
