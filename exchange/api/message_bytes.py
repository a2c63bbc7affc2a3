"""The bytes of a message, field by field: what protobuf's own library writes, for messages every movement answers with.

Setting fields of a message from Python costs more than writing them: each is looked up by name, checked and kept, to be
written afterwards. Numbers of fields come from the messages' descriptors, so that the protos remain their only place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from librt.strings import BytesWriter

# Compiled, what is not final is looked up by name wherever it is used: here for every byte of every number.
_VARINT: Final = 0
_LENGTH: Final = 2
_LAST_SEVEN: Final = 127
_MORE: Final = 128
_SEVEN: Final = 7
_WIRE_TYPES: Final[Mapping[int, int]] = {
    FieldDescriptor.TYPE_STRING: _LENGTH,
    FieldDescriptor.TYPE_MESSAGE: _LENGTH,
    FieldDescriptor.TYPE_INT64: _VARINT,
    FieldDescriptor.TYPE_ENUM: _VARINT,
    FieldDescriptor.TYPE_BOOL: _VARINT,
}


def key(message: type[Message], field: str) -> bytes:
    """What stands before a field's value: its number and how its value is written."""
    described = message.DESCRIPTOR.fields_by_name[field]
    writer = BytesWriter()
    write_varint(writer, described.number << 3 | _WIRE_TYPES[described.type])
    return writer.getvalue()


def write_varint(writer: BytesWriter, number: int) -> None:
    """A number of up to 64 bits that is not negative, seven bits a byte, the lowest first."""
    assert number >= 0
    while number > _LAST_SEVEN:
        writer.append(number & _LAST_SEVEN | _MORE)
        number >>= _SEVEN
    writer.append(number)


def write_number(writer: BytesWriter, key: bytes, number: int) -> None:
    """A field that holds a number; 0 is not written, it is what a field holds that is not there."""
    if number:
        writer.write(key)
        write_varint(writer, number)


def write_text(writer: BytesWriter, key: bytes, text: str) -> None:
    """A field that holds a text; the empty one is not written."""
    if text:
        write_bytes(writer, key, text.encode())


def write_bytes(writer: BytesWriter, key: bytes, value: bytes) -> None:
    """A field whose value is written already: a text, or a message."""
    writer.write(key)
    write_varint(writer, len(value))
    writer.write(value)
