"""Time-ordered identifiers (RFC 9562, version 7), made in the application so that any machine can make them."""

from __future__ import annotations

import os
import time
from uuid import UUID

_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)
_COUNTER_LIMIT = 1 << 12

_last_ms = 0
_counter = 0


def new_id() -> UUID:
    """A fresh identifier, greater than every earlier one of this process: neighbours in time are neighbours on disk."""
    global _last_ms, _counter  # noqa: PLW0603 - the order is the process's
    now_ms = time.time_ns() // 1_000_000
    if now_ms > _last_ms:
        _last_ms, _counter = now_ms, 0
    else:
        _counter += 1
        if _counter == _COUNTER_LIMIT:
            # More than 4 096 in a millisecond, or a clock that went back: borrow from the future.
            _last_ms, _counter = _last_ms + 1, 0
    noise = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=(_last_ms << 80) | _VERSION_AND_VARIANT | (_counter << 64) | noise)
