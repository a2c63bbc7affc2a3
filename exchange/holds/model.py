from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from exchange.ledger.model import FollowUp, MemberCommand, TransferKind


@dataclass(slots=True, kw_only=True)
class Hold(MemberCommand):
    """Reserve points for a time."""

    kind: ClassVar[TransferKind] = TransferKind.HOLD

    lifetime: timedelta

    @property
    def debits(self) -> tuple[tuple[str, int], ...]:
        """The currency reserved, and how much."""
        return ((self.currency, self.units),)


@dataclass(slots=True, kw_only=True)
class Capture(FollowUp):
    """Take what a hold reserved; `units` None: all of it. The rest goes back."""

    kind: ClassVar[TransferKind] = TransferKind.CAPTURE
    original_field: ClassVar[str] = "hold"

    units: int | None


@dataclass(slots=True, kw_only=True)
class Release(FollowUp):
    """Give back what a hold reserved; `lapsed`: because its time is over, not because its merchant says so."""

    kind: ClassVar[TransferKind] = TransferKind.RELEASE
    original_field: ClassVar[str] = "hold"

    lapsed: bool = False
