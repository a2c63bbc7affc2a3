"""Who is calling: taken from the call's credential, never from a field of a request."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import grpc

from exchange.callers import Caller
from exchange.refusals import CredentialMissing, CredentialUnknown

Metadata = Sequence[tuple[str, str | bytes]]

_SECRET_CHARACTERS_MAX = 256
_BEARER = "Bearer "
_CALLER: ContextVar[Caller] = ContextVar("caller")


class Authenticator(Protocol):
    """Knows callers by their credentials."""

    def known_key(self, secret: str) -> Caller | None:
        """The caller of a key already looked up and known to be still good; None: ask `by_key`. Must not wait."""
        ...

    async def by_key(self, secret: str) -> Caller:
        """The caller an API key stands for.

        Raises:
            CredentialUnknown: no such key, or it was revoked, or it has expired.
        """
        ...

    async def by_certificate(self, names: Sequence[str]) -> Caller:
        """The caller a client certificate stands for; `names` are its subject alternative names, in its order.

        Raises:
            CredentialUnknown: none of the names is known.
        """
        ...


def caller_of(context: object) -> Caller:
    """The authenticated caller of the call under way, in its servicer method or in a task begun by it."""
    del context  # the method shows that it is within a call
    return _CALLER.get()


def credential_of_call() -> str | None:
    """Name of the credential of the call under way, for the log; None when the caller is not known (yet)."""
    caller = _CALLER.get(None)
    return caller.credential if caller else None


def set_caller(caller: Caller) -> None:
    """Makes the caller known to `caller_of` for the rest of the call."""
    _CALLER.set(caller)


def secret_of(metadata: Metadata) -> str | None:
    """The API key sent as "authorization: Bearer KEY"; None when no authorization came.

    Raises:
        CredentialUnknown: an authorization came that can be no key.
    """
    for name, value in metadata:
        if name == "authorization":
            if isinstance(value, str):
                if value.startswith(_BEARER) and len(value) <= _SECRET_CHARACTERS_MAX:
                    return value[len(_BEARER) :]
                scheme, _, secret = value.partition(" ")
                # HTTP does not tell upper from lower case in the scheme.
                if scheme.lower() == "bearer" and 0 < len(secret) <= _SECRET_CHARACTERS_MAX:
                    return secret
            raise CredentialUnknown
    return None


async def caller_by_certificate(authenticator: Authenticator, context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
    """The caller of a mutual TLS connection.

    gRPC shows the names of verified certificates only; without mutual TLS it asks clients for none, and there are none.

    Raises:
        CredentialMissing: no certificate with a subject alternative name came.
        CredentialUnknown: none of its names is known.
    """
    names = [
        name.decode("utf-8", "replace") for name in context.auth_context().get("x509_subject_alternative_name", ())
    ]
    if not names:
        raise CredentialMissing
    return await authenticator.by_certificate(names)
