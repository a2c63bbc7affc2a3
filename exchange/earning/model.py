from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class Earn(MemberCommand):
    """Award points to a member.

    Attributes:
        expires_at: only where the currency's policy asks each earn for it.
        spend_minor: with `spend_rule`: money spent, in minor units; `units` is then 0.
    """

    kind: ClassVar[TransferKind] = TransferKind.EARN

    expires_at: datetime | None = None
    spend_minor: int = 0

    @property
    def credits(self) -> tuple[str, ...]:
        """The currency awarded."""
        return (self.currency,)

    @property
    def is_plain(self) -> bool:
        """Unless money spent is carried."""
        return self.spend_rule is None
