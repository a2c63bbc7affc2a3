"""HTTP/2 header compression (RFC 7541): reading whatever a server sends, and writing the same headers over and over.

The writer needs no general encoder. The first request of a connection puts its headers into the server's table; each
later one names them by number, eight octets or so, which is what a real client's encoder arrives at too.
"""

from dataclasses import dataclass

from bench.load import huffman

Header = tuple[bytes, bytes]

TABLE_BYTES_DEFAULT = 4_096
ENTRY_OVERHEAD_BYTES = 32

_INDEXED = 0x80
_LITERAL_KEPT = 0x40
_TABLE_SIZE = 0x20
_HUFFMAN = 0x80
# A length beyond this is no header of ours but a broken or hostile one.
_NUMBER_MAX = 2**28

# RFC 7541, appendix A, by number from 1.
_STATIC_TEXT = """
:authority|
:method|GET
:method|POST
:path|/
:path|/index.html
:scheme|http
:scheme|https
:status|200
:status|204
:status|206
:status|304
:status|400
:status|404
:status|500
accept-charset|
accept-encoding|gzip, deflate
accept-language|
accept-ranges|
accept|
access-control-allow-origin|
age|
allow|
authorization|
cache-control|
content-disposition|
content-encoding|
content-language|
content-length|
content-location|
content-range|
content-type|
cookie|
date|
etag|
expect|
expires|
from|
host|
if-match|
if-modified-since|
if-none-match|
if-range|
if-unmodified-since|
last-modified|
link|
location|
max-forwards|
proxy-authenticate|
proxy-authorization|
range|
referer|
refresh|
retry-after|
server|
set-cookie|
strict-transport-security|
transfer-encoding|
user-agent|
vary|
via|
www-authenticate|
"""


def _static_table() -> tuple[Header, ...]:
    lines = (line.encode().partition(b"|") for line in _STATIC_TEXT.strip().splitlines())
    return tuple((name, value) for name, _, value in lines)


_STATIC = _static_table()


def number(value: int, prefix_bits: int, first: int) -> bytes:
    """A number whose upper bits share an octet with `first`."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes([first | value])
    octets = bytearray([first | limit])
    value -= limit
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _text(octets: bytes) -> bytes:
    return number(len(octets), 7, 0) + octets


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """One request's header block: as the first request of a connection sends it, and as every later one does."""

    first: bytes
    again: bytes

    @classmethod
    def of(cls, headers: list[Header], *, table_bytes: int = TABLE_BYTES_DEFAULT) -> "RequestHeaders":
        """Both blocks. When the server's table is smaller than these headers, both spell everything out."""
        # A table smaller than the default must be acknowledged at the very start of the first block.
        update = number(table_bytes, 5, _TABLE_SIZE) if table_bytes < TABLE_BYTES_DEFAULT else b""
        kept = [header for header in headers if header not in _STATIC]
        if sum(map(size_of, kept)) > min(table_bytes, TABLE_BYTES_DEFAULT):
            spelt = b"".join(_spelt(header, keep=False) for header in headers)
            return cls(update + spelt, spelt)
        oldest = len(_STATIC) + len(kept)
        first, again = update, b""
        for header in headers:
            if header in _STATIC:
                indexed = number(_STATIC.index(header) + 1, 7, _INDEXED)
                first += indexed
            else:
                indexed = number(oldest - kept.index(header), 7, _INDEXED)
                first += _spelt(header, keep=True)
            again += indexed
        return cls(first, again)


def size_of(header: Header) -> int:
    """What a header counts for in a table, in octets."""
    return len(header[0]) + len(header[1]) + ENTRY_OVERHEAD_BYTES


def _spelt(header: Header, *, keep: bool) -> bytes:
    return bytes([_LITERAL_KEPT if keep else 0]) + _text(header[0]) + _text(header[1])


class Decoder:
    """The reading half of one connection: it remembers what the server put into the table.

    `changes` grows whenever the table does, so that whoever remembers what a block meant knows when to forget.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._entries: list[Header] = []  # newest first
        self._size = 0
        self._size_max = TABLE_BYTES_DEFAULT

    def decode(self, block: bytes) -> list[Header]:
        """The headers of a block, in order.

        Raises:
            ValueError: the block is not HPACK.
        """
        headers: list[Header] = []
        at = 0
        while at < len(block):
            kind = block[at]
            if kind & _INDEXED:
                index, at = _number(block, at, 7)
                headers.append(self._entry(index))
            elif kind & _LITERAL_KEPT:
                header, at = self._literal(block, at, 6)
                headers.append(header)
                self._keep(header)
            elif kind & _TABLE_SIZE:
                size, at = _number(block, at, 5)
                self._resize(size)
            else:
                header, at = self._literal(block, at, 4)
                headers.append(header)
        return headers

    def _entry(self, index: int) -> Header:
        if not 1 <= index <= len(_STATIC) + len(self._entries):
            raise ValueError(f"no header has the number {index}")
        if index <= len(_STATIC):
            return _STATIC[index - 1]
        return self._entries[index - len(_STATIC) - 1]

    def _literal(self, block: bytes, at: int, prefix_bits: int) -> tuple[Header, int]:
        index, at = _number(block, at, prefix_bits)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = _string(block, at)
        value, at = _string(block, at)
        return (name, value), at

    def _keep(self, header: Header) -> None:
        self.changes += 1
        self._entries.insert(0, header)
        self._size += size_of(header)
        self._evict()

    def _resize(self, size: int) -> None:
        if size > TABLE_BYTES_DEFAULT:
            raise ValueError(f"a table of {size} octets was never allowed")
        self.changes += 1
        self._size_max = size
        self._evict()

    def _evict(self) -> None:
        while self._size > self._size_max:
            self._size -= size_of(self._entries.pop())


def _number(block: bytes, at: int, prefix_bits: int) -> tuple[int, int]:
    limit = (1 << prefix_bits) - 1
    value = block[at] & limit
    at += 1
    if value < limit:
        return value, at
    shift = 0
    while True:
        if at >= len(block) or value > _NUMBER_MAX:
            raise ValueError("a number is cut off or too large")
        octet = block[at]
        at += 1
        value += (octet & 0x7F) << shift
        shift += 7
        if not octet & 0x80:
            return value, at


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    if at >= len(block):
        raise ValueError("a string is missing")
    coded = block[at] & _HUFFMAN
    length, at = _number(block, at, 7)
    end = at + length
    if end > len(block):
        raise ValueError("a string is cut off")
    octets = block[at:end]
    return (huffman.decode(octets) if coded else octets), end
