"""What is decided of disputes. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from settlement.disputes.model import Cause, Dispute, DisputePolicy, Reason, State, Treatment, Verdict
from settlement.refusals import ClaimExceeds, DisputePeriodOver, WrongParty, WrongState


class Standing(NamedTuple):
    """How an obligation stands, whole minor units.

    Attributes:
        owed: what it came to, less what reversals gave back.
        won: what disputes of it have won and no reversal has overtaken.
        asked: what disputes of it still ask for.
    """

    owed: int
    won: int
    asked: int

    @property
    def to_claim(self) -> int:
        """What nobody has claimed yet: one value is claimed once."""
        return max(0, self.owed - self.won - self.asked)

    @property
    def to_win(self) -> int:
        """What a dispute of it can still win: what came back by a reversal is not won as well."""
        return max(0, self.owed - self.won)


class End(NamedTuple):
    """How a dispute ends: its state, how much of the claim is upheld, and what brought it about."""

    state: State
    upheld: int
    cause: Cause


def require_claimable(resource: str, requested: int, standing: Standing) -> None:
    """Raises ClaimExceeds when more is claimed than nobody has claimed yet."""
    if requested > standing.to_claim:
        raise ClaimExceeds(resource=resource, left=standing.to_claim, requested=requested)


def require_period(resource: str, closed_at: datetime | None, now: datetime, policy: DisputePolicy) -> None:
    """Raises DisputePeriodOver when the window was cut off too long ago."""
    if closed_at is None:
        return
    last = closed_at + timedelta(days=policy.claim_days)
    if now >= last:
        raise DisputePeriodOver(resource=resource, until=last.isoformat())


def require_state(dispute: Dispute, needed: Collection[State]) -> None:
    """Raises WrongState when the dispute is in none of these states."""
    if dispute.state not in needed:
        raise WrongState(resource=dispute.name, state=dispute.state, needed=" or ".join(sorted(needed)))


def require_party(dispute: Dispute, party: str, needed: str) -> None:
    """Raises WrongParty when the step is the other side's to take."""
    if party != needed:
        raise WrongParty(resource=dispute.name, needed=f"merchants/{needed}")


def treatment_of(reason: Reason, policy: DisputePolicy, *, is_final: bool) -> Treatment:
    """What becomes of the amount meanwhile; once the window's figures are final it settles as they say."""
    held_out = reason in policy.held_out and not is_final
    return Treatment.HOLD_OUT if held_out else Treatment.SETTLE_THEN_ADJUST


def end_by(cause: Cause, verdict: Verdict, claimed: int, standing: Standing) -> End:
    """How a claim ends that is upheld or rejected: it wins no more than is left to win."""
    if verdict is Verdict.REJECTED:
        return End(State.REJECTED, 0, cause)
    upheld = min(claimed, standing.to_win)
    return End(State.UPHELD, upheld, cause) if upheld else End(State.REJECTED, 0, Cause.REVERSAL)


def decided(dispute: Dispute, upheld: int, standing: Standing) -> End:
    """How a dispute ends that finance decides: exactly as was agreed to, or not at all.

    Raises:
        WrongState: it does not wait for a decision.
        ClaimExceeds: reversals have left less to win than was agreed to.
    """
    require_state(dispute, {State.CONTESTED})
    require_decidable(dispute, upheld, standing)
    return End(State.UPHELD if upheld else State.REJECTED, upheld, Cause.DECISION)


def require_decidable(dispute: Dispute, upheld: int, standing: Standing) -> None:
    """Raises ClaimExceeds when a decision gives more than was claimed or than is left to win."""
    left = min(dispute.minor_units, standing.to_win)
    if upheld > left:
        raise ClaimExceeds(resource=dispute.name, left=left, requested=upheld)


def end_now(dispute: Dispute, now: datetime, standing: Standing) -> End | None:
    """How a dispute ends by itself at a moment; None: it goes on.

    Its deadline has passed, or reversals have left nothing to win.
    """
    if dispute.due is None:
        return None
    if now >= dispute.due:
        verdict = dispute.unanswered if dispute.state is State.OPEN else dispute.undecided
        return end_by(Cause.DEADLINE, verdict, dispute.minor_units, standing)
    return None if standing.to_win else End(State.REJECTED, 0, Cause.REVERSAL)
