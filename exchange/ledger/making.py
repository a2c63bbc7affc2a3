"""How what every movement has is made: past the constructors of the named tuples, see `exchange.tuples`.

The fields are named here once more, so that they stay checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from exchange.ledger.bonuses import Bonus
from exchange.ledger.model import Lot, NewLot, Obligation, PointsLeg, Receipt, Spend, Transfer
from exchange.tuples import made

_LOT: Final[Any] = Lot
_NEW_LOT: Final[Any] = NewLot
_LEG: Final[Any] = PointsLeg
_OBLIGATION: Final[Any] = Obligation
_TRANSFER: Final[Any] = Transfer
_RECEIPT: Final[Any] = Receipt
_SEQUENCE: Final = Transfer._fields.index("ledger_sequence")


def a_leg(
    account: int, side: int, currency_no: int, units: int, account_sequence: int | None, lot_id: UUID | None
) -> PointsLeg:
    """A points leg."""
    return cast("PointsLeg", made(_LEG, (account, side, currency_no, units, account_sequence, lot_id)))


def a_lot(
    lot_id: UUID,
    remaining: int,
    funder_no: int,
    price_micros: int,
    earned_at: datetime,
    expires_at: datetime | None,
    held: int = 0,
) -> Lot:
    """A lot as the rules see it."""
    return cast("Lot", made(_LOT, (lot_id, remaining, funder_no, price_micros, earned_at, expires_at, held)))


def an_obligation(
    kind: int,
    debtor_no: int,
    creditor_no: int,
    currency_code: str,
    micros: int,
    points_units: int = 0,
    price_micros: int = 0,
) -> Obligation:
    """An obligation."""
    columns = (kind, debtor_no, creditor_no, currency_code, micros, points_units, price_micros)
    return cast("Obligation", made(_OBLIGATION, columns))


def a_new_lot(currency_no: int, units: int, funder_no: int, price_micros: int, expires_at: datetime | None) -> NewLot:
    """A lot that is made."""
    return cast("NewLot", made(_NEW_LOT, (currency_no, units, funder_no, price_micros, expires_at)))


def a_receipt(transfer: Transfer, bonuses: Sequence[Bonus], *, replayed: bool) -> Receipt:
    """The yes to a command."""
    return cast("Receipt", made(_RECEIPT, (transfer, replayed, bonuses)))


def a_transfer(
    bucket: int,
    transfer_id: UUID | None,
    kind: int,
    merchant_no: int,
    member_id: UUID,
    request_id: str,
    reference: str | None,
    occurred_at: datetime,
    ledger_sequence: int,
    window_no: int,
    rate_id: UUID | None,
    legs: Sequence[PointsLeg],
    obligations: Sequence[Obligation],
    original_id: UUID | None,
    expires_at: datetime | None,
    frozen_price_micros: int | None,
    spend: Spend | None,
) -> Transfer:
    """A movement that happens."""
    earn_rule, spend_minor, carried_minor = (None, None, None) if spend is None else spend
    columns = (
        bucket, transfer_id, kind, merchant_no, member_id, request_id, reference, occurred_at, ledger_sequence,
        window_no, rate_id, legs, obligations, original_id, expires_at, frozen_price_micros, earn_rule, spend_minor,
        carried_minor,
    )  # fmt: skip
    return cast("Transfer", made(_TRANSFER, columns))


def numbered(transfer: Transfer, first: int) -> Transfer:
    """A transfer that has its place in the batch, with the place it has in the ledger."""
    columns: list[object] = list(transfer)
    columns[_SEQUENCE] = first + transfer.ledger_sequence
    return cast("Transfer", made(_TRANSFER, columns))
