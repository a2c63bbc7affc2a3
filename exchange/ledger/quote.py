"""A quote as the ledger uses it up: the terms of one conversion, fixed until a time. Quoting is `exchange.quotes`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from exchange.tuples import made


class Terms(NamedTuple):
    """What a conversion does, complete: points used and received, and what one of each is worth.

    Prices and the fee are micro-units of the settlement currency; a cap of 0 is none.
    """

    rate_id: UUID
    source_no: int
    target_no: int
    used_units: int
    received_units: int
    fee_micros: int
    out_price_micros: int
    in_price_micros: int
    member_daily_cap_units: int


_TERMS: Final[Any] = Terms


def some_terms(
    rate_id: UUID,
    source_no: int,
    target_no: int,
    used_units: int,
    received_units: int,
    fee_micros: int,
    out_price_micros: int,
    in_price_micros: int,
    member_daily_cap_units: int,
) -> Terms:
    """Terms, as every conversion makes them."""
    columns = (
        rate_id, source_no, target_no, used_units, received_units, fee_micros, out_price_micros, in_price_micros,
        member_daily_cap_units,
    )  # fmt: skip
    return cast("Terms", made(_TERMS, columns))


class Quote(NamedTuple):
    """Terms promised to one merchant for one member until before `expires_at` (报价); `transfer_id`: what used it."""

    quote_id: UUID
    merchant_no: int
    member_id: UUID
    terms: Terms
    created_at: datetime
    expires_at: datetime
    transfer_id: UUID | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"quotes/{self.quote_id}"

    def is_for(self, merchant_no: int, member_id: UUID) -> bool:
        """Whether it was given to that merchant for that member; to anybody else it does not exist."""
        return (self.merchant_no, self.member_id) == (merchant_no, member_id)


def quote_of(columns: Sequence[Any], transfer_id: UUID | None = None) -> Quote:
    """A quote of its columns in the order of `sql.QUOTES`, and what used it."""
    quote_id, merchant_no, member_id, *terms, created_at, expires_at = columns
    return Quote(quote_id, merchant_no, member_id, Terms._make(terms), created_at, expires_at, transfer_id)
