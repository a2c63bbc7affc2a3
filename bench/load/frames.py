"""HTTP/2 frames as bytes (RFC 9113). Pure functions: no socket, no state."""

from struct import Struct

DATA = 0x0
HEADERS = 0x1
RST_STREAM = 0x3
SETTINGS = 0x4
PUSH_PROMISE = 0x5
PING = 0x6
GOAWAY = 0x7
WINDOW_UPDATE = 0x8
CONTINUATION = 0x9

ACK = 0x1
END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

SETTINGS_HEADER_TABLE_SIZE = 0x1
SETTINGS_ENABLE_PUSH = 0x2
SETTINGS_MAX_CONCURRENT_STREAMS = 0x3
SETTINGS_INITIAL_WINDOW_SIZE = 0x4
SETTINGS_MAX_FRAME_SIZE = 0x5

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
WINDOW_BYTES_DEFAULT = 65_535
WINDOW_BYTES_MAX = 2**31 - 1
STREAM_MAX = 2**31 - 1
FRAME_BYTES_DEFAULT = 16_384
GRPC_PREFIX_BYTES = 5

# A frame's length has 24 bits: its upper 16 and its lower 8 stand apart. Then type, flags, stream.
HEAD = Struct(">HBBBI")
_SETTING = Struct(">HI")
_WORD = Struct(">I")
_GRPC_PREFIX = Struct(">BI")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame of `payload`, which must not exceed the peer's largest frame."""
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame: identifier to value."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(key, value) for key, value in values.items()))


def settings_of(payload: bytes) -> dict[int, int]:
    """What a SETTINGS frame says; of a repeated identifier the last value."""
    return dict(_SETTING.iter_unpack(payload))


def window_update(stream: int, octets: int) -> bytes:
    """Allow the peer to send `octets` more on a stream, or on the connection when `stream` is 0."""
    return frame(WINDOW_UPDATE, 0, stream, _WORD.pack(octets))


def word_of(payload: bytes) -> int:
    """The first 32-bit number of a payload: an increment, an error code or a stream. The reserved bit stays."""
    number: int = _WORD.unpack_from(payload)[0]
    return number


def word(number: int) -> bytes:
    """A 32-bit number, as RST_STREAM, WINDOW_UPDATE and GOAWAY carry them."""
    return _WORD.pack(number)


def grpc_message(body: bytes) -> bytes:
    """A serialised message as gRPC frames it: not compressed, with its length before it."""
    return _GRPC_PREFIX.pack(0, len(body)) + body


def grpc_messages(octets: bytes) -> list[bytes]:
    """The messages of a stream, without their prefixes; what is cut off at the end is left out."""
    found, at = [], 0
    while at + GRPC_PREFIX_BYTES <= len(octets):
        start = at + GRPC_PREFIX_BYTES
        at = start + int(_GRPC_PREFIX.unpack_from(octets, at)[1])
        if at <= len(octets):
            found.append(octets[start:at])
    return found


def request(stream: int, header_block: bytes, message: bytes) -> bytes:
    """A whole unary call whose message fits one DATA frame."""
    return frame(HEADERS, END_HEADERS, stream, header_block) + frame(DATA, END_STREAM, stream, message)


def content_of(kind: int, flags: int, payload: bytes) -> bytes:
    """A DATA or HEADERS payload without padding and priority."""
    padding = 0
    start = 0
    if flags & PADDED:
        padding = payload[0]
        start = 1
    if kind == HEADERS and flags & PRIORITY:
        start += 5
    return payload[start : len(payload) - padding]
