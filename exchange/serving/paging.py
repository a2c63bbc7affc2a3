"""Keyset pages: how many rows, and the opaque token that says where the next page begins."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TypeAlias

from exchange.refusals import InvalidField, InvalidPageToken

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 1_000

Position: TypeAlias = "str | int | list[str | int]"
"""The sort key of the last row of a page."""

_SECRET_BYTES_MIN = 16
_MAC_BYTES = 16
_TOKEN_CHARACTERS_MAX = 2_048


def page_size(requested: int, path: str = "page_size") -> int:
    """Rows of a page: 0 stands for 50, what is above 1 000 for 1 000.

    Raises:
        InvalidField: negative.
    """
    if requested < 0:
        raise InvalidField({path: "is negative"})
    return min(requested or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def filter_fingerprint(*values: str) -> bytes:
    """What binds a token to the filter of its list: the same values in the same order give the same bytes."""
    return hashlib.sha256(json.dumps(values).encode()).digest()


class PageTokens:
    """Makes and reads page tokens. Servers that answer the same clients share the secret (32 random bytes).

    A token is signed, so that nobody makes one up, and bound to list and filter, so that none is used elsewhere. It is
    not encrypted: a position holds nothing the caller has not seen.
    """

    def __init__(self, secret: bytes) -> None:
        assert len(secret) >= _SECRET_BYTES_MIN, "a short secret can be guessed"
        self._secret = secret

    def seal(self, list_name: str, fingerprint: bytes, position: Position) -> str:
        """The token for the page after `position` of the list with that filter: URL-safe text."""
        payload = json.dumps(position, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(list_name, fingerprint, payload) + payload).decode()

    def open(self, list_name: str, fingerprint: bytes, token: str, path: str = "page_token") -> Position:
        """The position sealed into a token.

        Raises:
            InvalidPageToken: not one of ours, or of another list or filter.
        """
        if len(token) > _TOKEN_CHARACTERS_MAX:
            raise InvalidPageToken(field=path)
        try:
            sealed = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidPageToken(field=path) from None
        mac, payload = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        is_ours = hmac.compare_digest(mac, self._mac(list_name, fingerprint, payload))
        # Base64 has several spellings of the same bytes; one token has one.
        if not is_ours or base64.urlsafe_b64encode(sealed).decode() != token:
            raise InvalidPageToken(field=path)
        position: Position = json.loads(payload)
        return position

    def _mac(self, list_name: str, fingerprint: bytes, payload: bytes) -> bytes:
        digest = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in (list_name.encode(), fingerprint, payload):
            digest.update(len(part).to_bytes(4, "big"))
            digest.update(part)
        return digest.digest()[:_MAC_BYTES]
