"""Conversions with a currency whose issuer keeps the balances itself, as rules begin and end them."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias
from uuid import UUID

from exchange.ledger.quote import Terms


class Begun(NamedTuple):
    """A conversion that waits for an issuer's own ledger.

    Attributes:
        merchant_no: who asked for it.
        external_no: the currency that is kept by its issuer.
        issuer_no: that issuer.
        is_debit: whether the issuer is to take points (it is the source), or to give them.
        member_reference: how the issuer knows the member.
        answer_seconds: how long it has to answer.
        terms: what is converted, frozen.
    """

    merchant_no: int
    external_no: int
    issuer_no: int
    is_debit: bool
    member_reference: str
    answer_seconds: int
    terms: Terms


class Ended(NamedTuple):
    """The end of a conversion that was begun: completed, or called off."""

    conversion_id: UUID
    is_debit: bool
    terms: Terms
    completed: bool


Row: TypeAlias = tuple[int, UUID, UUID, Begun | Ended]
"""Bucket, member and transfer of what begins or ends a conversion."""
