"""Builders of points legs: each makes the member's side and the issuer's, so that a transfer balances."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.ledger.model import Account, Lot, NewLot, PointsLeg, Side


def credited(lot: NewLot) -> list[PointsLeg]:
    """Points made: circulation is debited, the member credited with a new lot."""
    return [
        PointsLeg(Account.CIRCULATION, Side.DEBIT, lot.currency_no, lot.units, None, None),
        PointsLeg(Account.MEMBER, Side.CREDIT, lot.currency_no, lot.units, None, None),
    ]


def debited(currency_no: int, taken: Sequence[tuple[Lot, int]]) -> list[PointsLeg]:
    """Points burnt: the member is debited lot by lot, circulation credited with all of it."""
    legs = [PointsLeg(Account.MEMBER, Side.DEBIT, currency_no, units, None, lot.lot_id) for lot, units in taken]
    legs.append(PointsLeg(Account.CIRCULATION, Side.CREDIT, currency_no, sum(units for _, units in taken), None, None))
    return legs
