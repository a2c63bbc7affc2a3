"""Who does a step: the credential for the record, and the person behind it for the four eyes."""

from __future__ import annotations

from typing import NamedTuple

from settlement.refusals import PersonUnknown


class Actor(NamedTuple):
    """Whoever acts.

    Attributes:
        name: role and credential, "FINANCE_MAKER:apiKeys/…", for the record.
        person: who holds it, in lower case; None: it names nobody.
    """

    name: str
    person: str | None

    def require_person(self) -> str:
        """The person.

        Raises:
            PersonUnknown: the credential names nobody, so nothing tells it from a second one of the same person.
        """
        if self.person is None:
            raise PersonUnknown(credential=self.name)
        return self.person
