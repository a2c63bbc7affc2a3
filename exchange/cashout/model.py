from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class CashOut(MemberCommand):
    """Pay points out in money."""

    kind: ClassVar[TransferKind] = TransferKind.CASH_OUT

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """The currency paid out, and how much."""
        return ((self.currency, self.units),)

    @property
    def is_plain(self) -> bool:
        """Always."""
        return True
