"""From a credential to a caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from exchange.callers import PERSON, Caller, CallerRole
from exchange.directory.model import Credential, Directory
from exchange.directory.service import hash_of
from exchange.refusals import CredentialUnknown

CERTIFICATE_SCHEME = "coalition:"
"""URI names in client certificates: "coalition:merchants/GRO", "coalition:operator", "coalition:auditor" …

Of a person's certificate the role is followed by who it is: "coalition:finance-checker/li.wei".
"""

_ROLES = {
    "operator": CallerRole.OPERATOR,
    "finance-maker": CallerRole.FINANCE_MAKER,
    "finance-checker": CallerRole.FINANCE_CHECKER,
    "auditor": CallerRole.AUDITOR,
}


class HasDirectory(Protocol):
    """A version of the coalition."""

    @property
    def directory(self) -> Directory:
        """Who takes part."""
        ...


class Source(Protocol):
    """Where the directory comes from."""

    @property
    def held(self) -> HasDirectory | None:
        """What is in memory, without asking anybody."""
        ...

    async def fresh(self) -> HasDirectory:
        """A version no older than the call."""
        ...


class DirectoryAuthenticator:
    """Looks keys up in the directory in memory.

    That copy may lag behind a revocation by another process, so every use case looks at the credential once more in a
    version no older than the call (`Directory.confirm`); here only the unknown cost a question to the database.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._callers: dict[str, tuple[object, Caller, datetime | None]] = {}

    def known_key(self, secret: str) -> Caller | None:
        """The caller of a key in the directory in memory."""
        held = self._source.held
        if held is None:
            return None
        cached = self._callers.get(secret)
        if cached is not None and cached[0] is held:
            return cached[1] if cached[2] is None or cached[2] > datetime.now(UTC) else None
        caller, expires_at = self._caller(held.directory, secret)
        if caller is not None:
            if cached is not None or len(self._callers) > len(held.directory.credentials):
                self._callers.clear()
            self._callers[secret] = (held, caller, expires_at)
        return caller

    async def by_key(self, secret: str) -> Caller:
        """The caller of a key, by a version no older than the call.

        Raises:
            CredentialUnknown: no such key, revoked or expired.
        """
        caller, _ = self._caller((await self._source.fresh()).directory, secret)
        if caller is None:
            raise CredentialUnknown
        return caller

    async def by_certificate(self, names: Sequence[str]) -> Caller:
        """The caller the first name of ours in a client certificate stands for.

        Raises:
            CredentialUnknown: none of the names is known.
        """
        directory = (await self._source.fresh()).directory
        for name in names:
            if not name.startswith(CERTIFICATE_SCHEME):
                continue
            subject = name.removeprefix(CERTIFICATE_SCHEME)
            if subject in _ROLES:
                return Caller(_ROLES[subject], f"certificates/{subject}")
            collection, _, merchant_id = subject.partition("/")
            if collection in _ROLES and PERSON.fullmatch(merchant_id):
                return Caller(_ROLES[collection], f"certificates/{subject}", person=merchant_id)
            merchants = [m for m in directory.merchants.values() if m.merchant_id == merchant_id]
            if collection == "merchants" and merchants:
                return Caller(CallerRole.MERCHANT, f"certificates/{subject}", merchants[0].number, merchant_id)
        raise CredentialUnknown

    @staticmethod
    def _caller(directory: Directory, secret: str) -> tuple[Caller | None, datetime | None]:
        credential: Credential | None = directory.credentials.get(hash_of(secret))
        if credential is None or credential.revoked_at is not None:
            return None, None
        # A credential's own end is an affair of the real world, not of a sandbox's clock.
        if credential.expires_at is not None and credential.expires_at <= datetime.now(UTC):
            return None, None
        number = credential.merchant_no
        merchant_id = None if number is None else directory.merchants[number].merchant_id
        caller = Caller(credential.role, credential.name, number, merchant_id, credential.holder)
        return caller, credential.expires_at
