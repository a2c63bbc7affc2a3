"""Who may put his name to a run, and when it is enough. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from settlement.proposals.model import Tiers
from settlement.refusals import DigestMismatch, EtagMismatch, SamePerson, WrongState
from settlement.run.life import RunState
from settlement.run.model import CurrencyResult, Run


def checkers_needed(result: Sequence[CurrencyResult], tiers: Tiers) -> int:
    """How many must approve a result: of each currency the highest tier that what is paid reaches, and one at least."""
    paid = {one.currency: one.paid for one in result}
    reached = [
        tier.checkers for tier in tiers.tiers if tier.currency in paid and paid[tier.currency] >= tier.from_minor_units
    ]
    return max([1, *reached])


def require_state(run: Run, needed: Collection[RunState]) -> None:
    """Raises WrongState when the run is in none of these states."""
    if run.life.state not in needed:
        raise WrongState(resource=run.name, state=run.life.state, needed=" or ".join(sorted(needed)))


def require_shown(run: Run, digest: str, etag: str) -> None:
    """The caller has seen this result, and everything that happened to it.

    Raises:
        DigestMismatch: the digest is another's.
        EtagMismatch: something happened since.
    """
    if digest != run.digest:
        raise DigestMismatch(resource=run.name, digest=run.digest)
    if etag != run.etag:
        raise EtagMismatch(resource=run.name, etag=run.etag)


def require_other_eyes(run: Run, makers: Collection[str], person: str) -> None:
    """Raises SamePerson when the person had a hand in what is to be checked."""
    if person in makers:
        raise SamePerson(resource=run.name, person=person)


def is_enough(run: Run, tiers: Tiers) -> bool:
    """Whether as many have approved as must, by the tiers at its submission and by those of now."""
    return len(run.life.approvals) >= max(run.life.checkers_needed, checkers_needed(run.result, tiers))
