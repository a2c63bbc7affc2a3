from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from exchange.ledger.model import MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class Void(MemberCommand):
    """End all points of an account whose membership is over. Asked for by the exchange itself."""

    kind: ClassVar[TransferKind] = TransferKind.VOID

    @property
    def credits(self) -> tuple[str, ...]:
        """The account looked at."""
        return (self.currency,)
