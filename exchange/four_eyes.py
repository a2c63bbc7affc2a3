"""Two persons for one decision: who approves is somebody else than who proposed, and approves just that. Pure."""

from __future__ import annotations

from exchange.callers import Caller
from exchange.refusals import DigestMismatch, PersonUnknown, SamePerson


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
