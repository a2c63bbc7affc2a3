"""Two persons for one decision: somebody else than who proposed approves just that, and in time. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Protocol, TypeVar

from exchange.callers import Caller
from exchange.refusals import DigestMismatch, PersonUnknown, ProposalLapsed, SamePerson, WrongState

S = TypeVar("S", bound=IntEnum)
S_co = TypeVar("S_co", bound=IntEnum, covariant=True)


class Lapsing(Protocol[S_co]):
    """What waits for a second person, and not for ever: among its states are PROPOSED and LAPSED."""

    @property
    def name(self) -> str:
        """Resource name."""
        ...

    @property
    def state(self) -> S_co:
        """As it was written down; that something lapsed never is."""
        ...

    @property
    def expires_at(self) -> datetime:
        """When it lapses unless it was decided."""
        ...


def state_at(proposal: Lapsing[S], now: datetime) -> S:
    """How far it has come: what waits lapses at its very instant of expiry."""
    states = type(proposal.state)
    lapsed = proposal.state is states["PROPOSED"] and proposal.expires_at <= now
    return states["LAPSED"] if lapsed else proposal.state


def require_waiting(proposal: Lapsing[S], now: datetime) -> None:
    """It is neither decided nor withdrawn, and its time is not over.

    Raises:
        ProposalLapsed: nobody decided in time.
        WrongState: it is decided or withdrawn.
    """
    state, states = state_at(proposal, now), type(proposal.state)
    if state is states["LAPSED"]:
        raise ProposalLapsed(resource=proposal.name, expired=proposal.expires_at.isoformat())
    if state is not states["PROPOSED"]:
        raise WrongState(resource=proposal.name, state=state.name, needed="PROPOSED")


def require_second_person(
    caller: Caller, digest: str, *, resource: str, proposed_by: str | None, proposed: str
) -> None:
    """Somebody else than the proposer approves exactly what was proposed.

    Args:
        caller: who approves.
        digest: of what the approver looked at.
        resource: name of what is approved.
        proposed_by: the person who proposed it.
        proposed: digest of what was proposed.

    Raises:
        PersonUnknown: the approver's credential names nobody.
        SamePerson: it names who proposed it.
        DigestMismatch: something else was approved.
    """
    if caller.person is None:
        raise PersonUnknown(credential=caller.credential)
    if proposed_by == caller.person:
        raise SamePerson(resource=resource, person=caller.person)
    if digest != proposed:
        raise DigestMismatch(resource=resource, digest=proposed)
