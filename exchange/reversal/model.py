from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from exchange.ledger.model import FollowUp, TransferKind


class Retained(NamedTuple):
    """What the member keeps of the original, as a share; cumulative over all its reversals."""

    kept: int
    total: int


@dataclass(slots=True, kw_only=True)
class Reverse(FollowUp):
    """Mirror an earlier transfer: `units` of it, or down to what is `retained`, or all that is left."""

    kind: ClassVar[TransferKind] = TransferKind.REVERSAL

    units: int | None = None
    retained: Retained | None = None
