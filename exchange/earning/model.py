from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from exchange.ledger.model import Command, TransferKind


@dataclass(slots=True, kw_only=True)
class Earn(Command):
    """Award points to a member; `expires_at` only where the currency's policy asks each earn for it."""

    kind: ClassVar[TransferKind] = TransferKind.EARN

    expires_at: datetime | None = None

    @property
    def credits(self) -> tuple[str, ...]:
        """The currency awarded."""
        return (self.currency,)
