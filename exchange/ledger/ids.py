"""Time-ordered identifiers (RFC 9562, version 7), made in the application so that any machine can make them.

They are the database driver's UUIDs: the standard library's by interface and equality, several times as fast to make
and to write out, and every transfer makes and writes a handful.
"""

from __future__ import annotations

import os
from time import time_ns
from typing import Any, Final
from uuid import UUID

from asyncpg.pgproto import pgproto
from librt.strings import BytesWriter, write_i16_be

_COUNTER_LIMIT: Final = 1 << 12
_VERSION: Final = 7 << 12
_NOISES: Final = 512
_NOISE_BYTES: Final = 8
# What stands first in the ninth byte says how the rest is laid out; the bucket is the last ten bits.
_VARIANT: Final = 0x80
_VARIANT_REST: Final = 0x3F
_BUCKET_REST: Final = 0xFC
_BYTE: Final = 0xFF


class _State:
    """What the ids before have left; an object, because compiled a global is looked up by name each time."""

    def __init__(self) -> None:
        self.noise: list[bytes] = []
        self.ms = 0
        self.counter = 0
        self.ms_bytes = bytes(6)


_state: Final = _State()
_uuid: Final[Any] = pgproto.UUID
_now_ns: Final[Any] = time_ns


def new_id(bucket: int | None = None) -> UUID:
    """A fresh identifier, greater than every earlier one of this process: neighbours in time are neighbours on disk.

    Args:
        bucket: 0 to 1023; stands in the last ten bits, so that whoever has the id knows where the row lives.
    """
    state, now_ms = _state, _now_ns() // 1_000_000
    if now_ms > state.ms:
        state.ms, state.counter = now_ms, 0
        state.ms_bytes = now_ms.to_bytes(6)
    else:
        state.counter += 1
        if state.counter == _COUNTER_LIMIT:
            # More than 4 096 in a millisecond, or a clock that went back: borrow from the future.
            state.ms, state.counter = state.ms + 1, 0
            state.ms_bytes = state.ms.to_bytes(6)
    if not state.noise:
        # One question to the system for many ids: asking costs more than the rest of this function.
        drawn = os.urandom(_NOISES * _NOISE_BYTES)
        state.noise.extend(drawn[at : at + _NOISE_BYTES] for at in range(0, len(drawn), _NOISE_BYTES))
    noise = state.noise.pop()
    writer = BytesWriter()
    writer.write(state.ms_bytes)
    write_i16_be(writer, _VERSION | state.counter)
    writer.write(noise)
    writer[8] = noise[0] & _VARIANT_REST | _VARIANT
    if bucket is not None:
        writer[14] = noise[6] & _BUCKET_REST | bucket >> 8
        writer[15] = bucket & _BYTE
    made: UUID = _uuid(writer.getvalue())
    return made


def parsed_id(text: str) -> UUID:
    """The identifier written as canonical text.

    Raises:
        ValueError: it is none.
    """
    parsed: UUID = _uuid(text)
    return parsed


# A forked process must not repeat its parent's noise.
os.register_at_fork(after_in_child=_state.noise.clear)
