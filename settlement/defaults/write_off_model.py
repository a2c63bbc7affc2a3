"""A claim of a defaulter that is given up, whole or in part. Whole minor units, never signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from settlement.defaults.model import Loss
from settlement.funds.model import Account, Posting, Purpose, Way


@dataclass(frozen=True, slots=True)
class DefaultWriteOff:
    """That so much of a claim is asked of a defaulter no more, and whose loss is final by it.

    Attributes:
        participant: the defaulter.
        window_no: whose run it had not paid.
        currency: ISO 4217 code.
        minor_units: how much, above 0.
        claimed: what was still claimed before.
        losses: whose; worked out from the stakes at the time, whoever would be repaid last first.
    """

    participant: str
    window_no: int
    currency: str
    minor_units: int
    claimed: int = 0
    losses: Sequence[Loss] = ()

    @property
    def default(self) -> str:
        """The default it is of, as it is told when it is refused."""
        return f"merchants/{self.participant}/defaults/{self.window_no}"

    @property
    def postings(self) -> list[Posting]:
        """A note of each loss."""
        claim = Account(self.participant, Purpose.CLAIM_WRITTEN_OFF)
        return [
            Posting(
                Way.WRITE_OFF, self.currency, Account(one.participant, Purpose.LOSS_WRITTEN_OFF), claim, one.minor_units
            )
            for one in self.losses
        ]
