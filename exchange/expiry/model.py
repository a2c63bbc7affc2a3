from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class Expire(MemberCommand):
    """End the lots of an account that have reached their expiry. Asked for by the exchange itself."""

    kind: ClassVar[TransferKind] = TransferKind.EXPIRE

    @property
    def credits(self) -> tuple[str, ...]:
        """The account looked at."""
        return (self.currency,)
