from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class Convert(MemberCommand):
    """Turn at most `units` of `currency` into points of `target`."""

    kind: ClassVar[TransferKind] = TransferKind.CONVERT

    target: str

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """The source currency and the most that may be used of it."""
        return ((self.currency, self.units),)

    @property
    def credits(self) -> tuple[str, ...]:
        """The target currency."""
        return (self.target,)
