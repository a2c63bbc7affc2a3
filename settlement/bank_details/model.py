"""An account at a bank, and what can be wrong with how it is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

HOLDER_CHARS_MAX = 140
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,33}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CLEARING_SYSTEM = re.compile(r"[A-Z0-9]{1,5}")
_CLEARING_MEMBER = re.compile(r"[A-Za-z0-9]{1,35}")
_IBAN_MODULUS = 97
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = "=+-@"


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account as payment messages name it: by IBAN or by number, at a bank by BIC or by its clearing number.

    Attributes:
        holder: whose account it is, as the bank writes it.
        iban: international number; empty where the country has none.
        number: domestic number; empty with an IBAN.
        bic: the bank's code; empty where it is named by its clearing number.
        clearing_system: ISO 20022 external code of the clearing system, "CNAPS"; with `clearing_member` only.
        clearing_member: the bank's number in that system.
    """

    holder: str
    iban: str = ""
    number: str = ""
    bic: str = ""
    clearing_system: str = ""
    clearing_member: str = ""

    @property
    def identification(self) -> str:
        """What a bank statement calls the account."""
        return self.iban or self.number

    @property
    def agent(self) -> str:
        """What names the bank."""
        return self.bic or f"{self.clearing_system}/{self.clearing_member}"


@dataclass(frozen=True, slots=True)
class BankDetails:
    """A version of where a participant is paid in a currency; it counts from its confirmation on.

    Attributes:
        participant: "GRO"; the operator's own are those of the clearing account.
        currency: ISO 4217 code.
        version: 1, 2, 3 …
        set_by: who said so, for the record; `set_person` is the person behind it.
        confirmed_by: who confirmed it, another person; None: nobody yet.
    """

    participant: str
    currency: str
    version: int
    account: BankAccount
    set_at: datetime
    set_by: str
    set_person: str
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    confirmed_person: str | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"merchants/{self.participant}/bankDetails/{self.currency}/{self.version}"


def flaws(account: BankAccount) -> Iterator[tuple[str, str]]:
    """What is wrong with an account, as (field, what)."""
    if not 1 <= len(account.holder) <= HOLDER_CHARS_MAX:
        yield "holder", f"is empty or longer than {HOLDER_CHARS_MAX} characters"
    elif not account.holder.isprintable() or account.holder[0] in _FORMULA or account.holder != account.holder.strip():
        yield "holder", f"holds a control character, or begins with a blank or one of {_FORMULA}"
    yield from _flaws_of_number(account)
    yield from _flaws_of_bank(account)


def _flaws_of_number(account: BankAccount) -> Iterator[tuple[str, str]]:
    if bool(account.iban) == bool(account.number):
        yield "iban" if account.iban else "number", "is to be given, or the other of iban and number, and not both"
    if account.iban and not is_iban(account.iban):
        yield "iban", "is no IBAN: capital letters and digits without blanks, with the right check digits"
    if account.number and _NUMBER.fullmatch(account.number) is None:
        yield "number", "is no account number of at most 34 letters and digits"


def _flaws_of_bank(account: BankAccount) -> Iterator[tuple[str, str]]:
    by_clearing = bool(account.clearing_system or account.clearing_member)
    if bool(account.bic) == by_clearing:
        yield "bic", "is to be given, or clearing_system with clearing_member, and not both"
    if account.bic and _BIC.fullmatch(account.bic) is None:
        yield "bic", "is no BIC of 8 or 11 capital letters and digits"
    if by_clearing and _CLEARING_SYSTEM.fullmatch(account.clearing_system) is None:
        yield "clearing_system", "is no code of 1 to 5 capital letters and digits, such as CNAPS"
    if by_clearing and _CLEARING_MEMBER.fullmatch(account.clearing_member) is None:
        yield "clearing_member", "is no number of 1 to 35 letters and digits"


def is_iban(text: str) -> bool:
    """Whether form and check digits (ISO 13616, modulo 97) are right."""
    if _IBAN.fullmatch(text) is None:
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % _IBAN_MODULUS == 1
