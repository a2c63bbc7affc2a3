"""PostgreSQL's binary form of values, rows and arrays, as `record_recv` and `array_recv` read them.

A row is the number of its columns and, for each, its type, its length (-1: null), its value; an array is a header and
rows, each after its length. All of it goes into one writer; a length that is not known before is filled in afterwards.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from struct import pack
from typing import Final
from uuid import UUID

from librt.strings import BytesWriter, write_i16_be, write_i32_be, write_i64_be

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# Types of columns: PostgreSQL's own have the same numbers everywhere.
INT8: Final = 20
INT2: Final = 21
INT4: Final = 23
TEXT: Final = 25
BYTEA: Final = 17
TIMESTAMPTZ: Final = 1184
UUID_: Final = 2950
JSONB: Final = 3802
NUMERIC: Final = 1700


def head(type_oid: int, length: int) -> bytes:
    """What stands before a value of fixed width, and, with -1, instead of one that is null."""
    return pack(">Ii", type_oid, length)


_NUMERIC_BASE: Final = 10_000
_S: Final = head(INT2, 2)
_I: Final = head(INT4, 4)
_L: Final = head(INT8, 8)
_U: Final = head(UUID_, 16)
_T: Final = head(TIMESTAMPTZ, 8)
_NO_L: Final = head(INT8, -1)
_NO_U: Final = head(UUID_, -1)
_NO_T: Final = head(TIMESTAMPTZ, -1)
_NO_TEXT: Final = head(TEXT, -1)
_WIDTHS: Final = {"h": 10, "i": 12, "q": 16, "u": 24, "-": 8}


class _LastInstant:
    """The one that was written last."""

    def __init__(self) -> None:
        self.instant, self.micros = _EPOCH, 0


_latest: Final = _LastInstant()


def fixed(columns: str) -> bytes:
    """How a row of fixed width begins: its length, the number of its columns, and the head of the first, a short.

    Args:
        columns: a letter each: h, i, q for integers, u for a UUID, - for a null.
    """
    assert columns.startswith("h")
    return pack(">ii", 4 + sum([_WIDTHS[column] for column in columns]), len(columns)) + _S


def begin_row(writer: BytesWriter, columns: int) -> int:
    """Leave room for the length of a row; where that is, for `end`."""
    at = len(writer)
    write_i32_be(writer, 0)
    write_i32_be(writer, columns)
    return at


def begin_array(writer: BytesWriter, array_oid: int, element_oid: int, count: int) -> int:
    """The same for an array that is a column."""
    write_oid(writer, array_oid)
    at = len(writer)
    write_i32_be(writer, 0)
    write_array_head(writer, element_oid, count)
    return at


def end(writer: BytesWriter, at: int) -> None:
    """Fill in the length of what began there."""
    length = len(writer) - at - 4
    writer[at] = length >> 24
    writer[at + 1] = length >> 16 & 255
    writer[at + 2] = length >> 8 & 255
    writer[at + 3] = length & 255


def write_array_head(writer: BytesWriter, element_oid: int, count: int) -> None:
    """One dimension, or none when it is empty; no nulls."""
    write_i32_be(writer, 1 if count else 0)
    write_i32_be(writer, 0)
    write_oid(writer, element_oid)
    if count:
        write_i32_be(writer, count)
        write_i32_be(writer, 1)


def write_oid(writer: BytesWriter, oid: int) -> None:
    """Unsigned in PostgreSQL."""
    write_i32_be(writer, oid if oid < 1 << 31 else oid - (1 << 32))


def write_short(writer: BytesWriter, number: int) -> None:
    """A smallint."""
    writer.write(_S)
    write_i16_be(writer, number)


def write_integer(writer: BytesWriter, number: int) -> None:
    """An integer."""
    writer.write(_I)
    write_i32_be(writer, number)


def write_long(writer: BytesWriter, number: int | None) -> None:
    """A bigint."""
    if number is None:
        writer.write(_NO_L)
    else:
        writer.write(_L)
        write_i64_be(writer, number)


def write_uuid(writer: BytesWriter, name: UUID | None) -> None:
    """A uuid."""
    if name is None:
        writer.write(_NO_U)
    else:
        writer.write(_U)
        writer.write(name.bytes)


def write_instant(writer: BytesWriter, instant: datetime | None) -> None:
    """A timestamptz."""
    if instant is None:
        writer.write(_NO_T)
        return
    # Nearly all instants of a batch are the very same object. Rows are packed by one thread.
    if instant is not _latest.instant:
        _latest.instant, _latest.micros = instant, (instant - _EPOCH) // _MICROSECOND
    micros = _latest.micros
    writer.write(_T)
    write_i64_be(writer, micros)


def write_numeric(writer: BytesWriter, number: int) -> None:
    """A numeric that is a whole number and not negative: its digits to the base of ten thousand, the greatest first."""
    assert number >= 0
    digits: list[int] = []
    while number:
        number, digit = divmod(number, _NUMERIC_BASE)
        digits.append(digit)
    digits.reverse()
    write_i32_be(writer, NUMERIC)
    write_i32_be(writer, 8 + 2 * len(digits))
    write_i16_be(writer, len(digits))
    # The power of the first digit; then no sign, and nothing after the point.
    write_i16_be(writer, len(digits) - 1 if digits else 0)
    write_i32_be(writer, 0)
    for digit in digits:
        write_i16_be(writer, digit)


def write_text(writer: BytesWriter, text: str | None) -> None:
    """A text."""
    if text is None:
        writer.write(_NO_TEXT)
    else:
        write_sized(writer, TEXT, text.encode())


def write_sized(writer: BytesWriter, type_oid: int, value: bytes) -> None:
    """A value of any width."""
    write_i32_be(writer, type_oid)
    write_i32_be(writer, len(value))
    writer.write(value)
