"""Who is calling. Identity comes from the credential, never from a field of a request."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Final

PERSON: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
"""Names of persons: lower case, so that nobody is two by spelling."""


class CallerRole(enum.IntEnum):
    """Whom a credential stands for; numbered as `exchange.v1.CallerRole`."""

    MERCHANT = 1
    OPERATOR = 2
    FINANCE_MAKER = 3
    FINANCE_CHECKER = 4
    AUDITOR = 5


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    Attributes:
        role: whom the credential stands for.
        credential: name of the credential, "apiKeys/…" or "certificates/…"; stands in audit logs.
        merchant_no: the merchant's number in the directory, for role MERCHANT only.
        merchant_id: its id, "GRO", for role MERCHANT only.
        person: who holds the credential, "li.wei"; None: it names nobody. Two credentials of one person are one pair
            of eyes.
    """

    role: CallerRole
    credential: str
    merchant_no: int | None = None
    merchant_id: str | None = None
    person: str | None = None

    def __post_init__(self) -> None:
        is_merchant = self.role is CallerRole.MERCHANT
        assert is_merchant == (self.merchant_no is not None) == (self.merchant_id is not None)

    @property
    def sees_all(self) -> bool:
        """Operator, finance and auditors read everything; a merchant only what it is a party of."""
        return self.role is not CallerRole.MERCHANT
