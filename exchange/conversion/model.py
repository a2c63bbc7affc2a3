from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class Convert(MemberCommand):
    """Turn at most `units` of `currency` into points of `target`, or what a quote says.

    Attributes:
        target: code of the currency to receive; with a quote empty, as `currency` is, and `units` 0.
        tier: code of the member's tier, which may have rates of its own; empty: none. Not with a quote.
        min_target_units: fewest points to be received; 0: any. Not with a quote, which says how many.
    """

    kind: ClassVar[TransferKind] = TransferKind.CONVERT

    target: str
    min_target_units: int = 0
    tier: str = ""

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """The source currency and the most that may be used of it."""
        return () if self.quote is not None else ((self.currency, self.units),)

    @property
    def credits(self) -> tuple[str, ...]:
        """The target currency."""
        return () if self.quote is not None else (self.target,)

    @property
    def is_plain(self) -> bool:
        """Unless a quote is used up, or a tier is to be noted."""
        return self.quote is None and not self.tier
