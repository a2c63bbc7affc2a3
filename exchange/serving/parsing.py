"""Bytes to messages, strictly: what is no message, or holds fields this server does not know, is refused.

A field we do not know may be an instruction that matters to the caller; carrying out the rest of the request and
answering OK would be a lie about value. So a client built from newer protos is told which field is too new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from exchange.refusals import InvalidField, MalformedMessage

MESSAGE_BYTES_MAX = 4 * 1_024 * 1_024
"""Bytes of one request message."""

Parse = Callable[[bytes], Message]


def strict(parse: Parse) -> Parse:
    """`parse` that refuses what is malformed, too large or unknown.

    The check costs two walks through the message in C, 0.6 microseconds for a transfer and a third of that for each
    item of a batch: dropping unknown fields shortens a message, so one that is as long as its bytes had none. (Bytes in
    an unusual encoding have another length without unknown fields; those are parsed again and compared.)

    Raises, when called:
        MalformedMessage: the bytes are no message of the type.
        InvalidField: more than `MESSAGE_BYTES_MAX`, or unknown fields, each named by its number: "points.field 99".
    """

    def parse_strictly(data: bytes) -> Message:
        if len(data) > MESSAGE_BYTES_MAX:
            raise InvalidField({"message": f"is {len(data)} bytes long, more than {MESSAGE_BYTES_MAX}"})
        try:
            message = parse(data)
        except DecodeError:
            raise MalformedMessage from None
        message.DiscardUnknownFields()
        if message.ByteSize() != len(data):
            _refuse_unknown_fields(parse(data), message.ByteSize())
        return message

    return parse_strictly


def _refuse_unknown_fields(message: Message, bytes_known: int) -> None:
    if message.ByteSize() != bytes_known:
        raise InvalidField(dict.fromkeys(_unknown_paths(message, ""), "is not known to this server"))


def _unknown_paths(message: Message, prefix: str) -> Iterator[str]:
    """Paths of unknown fields, outermost first."""
    fields = UnknownFieldSet(message)
    for index in range(len(fields)):
        yield f"{prefix}field {fields[index].field_number}"
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if field.is_repeated:
            for index, item in enumerate(value):
                yield from _unknown_paths(item, f"{prefix}{field.name}[{index}].")
        else:
            yield from _unknown_paths(value, f"{prefix}{field.name}.")
