"""Cursors: places in the order of events as clients carry them, signed so that nobody makes one up."""

from __future__ import annotations

import base64
import binascii
import hmac
import struct

from exchange.refusals import InvalidCursor

_PLACE = struct.Struct(">BQ")
_VERSION = 1
_MAC_BYTES = 12
_CURSOR_CHARACTERS = 28
_PLACE_MAX = 2**63 - 1


class Cursors:
    """Makes and reads cursors. Every server of the exchange knows the secret, so each reads the others'.

    A cursor is bound to no caller and no filter: it says a place in the order, and what is told from there is decided
    anew each time. It is not encrypted: a place is a ledger sequence, which transfers show.
    """

    def __init__(self, secret: bytes) -> None:
        # Page tokens are signed with the same secret: a key of our own keeps one from passing for the other.
        self._key = hmac.digest(secret, b"event cursors", "sha256")

    def seal(self, place: int) -> str:
        """The cursor after which events follow `place`: URL-safe text of 28 characters."""
        payload = _PLACE.pack(_VERSION, place)
        return base64.urlsafe_b64encode(payload + self._mac(payload)).decode()

    def open(self, cursor: str, path: str = "cursor") -> int:
        """The place in a cursor.

        Raises:
            InvalidCursor: it is none of ours.
        """
        try:
            if len(cursor) != _CURSOR_CHARACTERS:
                raise InvalidCursor(field=path)
            sealed = base64.b64decode(cursor, altchars=b"-_", validate=True)
            payload, mac = sealed[: _PLACE.size], sealed[_PLACE.size :]
            version, place = _PLACE.unpack(payload)
        except (binascii.Error, ValueError, struct.error):
            raise InvalidCursor(field=path) from None
        if not hmac.compare_digest(mac, self._mac(payload)) or version != _VERSION or place > _PLACE_MAX:
            raise InvalidCursor(field=path)
        return int(place)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:_MAC_BYTES]
