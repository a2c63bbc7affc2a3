from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class UseInCampaign(MemberCommand):
    """Take points for taking part in a campaign."""

    kind: ClassVar[TransferKind] = TransferKind.CAMPAIGN

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """The currency taken, and how much."""
        return ((self.currency, self.units),)

    @property
    def is_plain(self) -> bool:
        """Always."""
        return True
