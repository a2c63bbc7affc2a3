"""Everything that can be wrong with a request, field by field, by walking its descriptor.

A flaw is a copy of a good request with one field changed to something no request may hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tests.contract.documentation import is_output_only, is_required

TOO_LONG = "x" * 5_000
UNKNOWN_NUMBER = 2_000
UNKNOWN_FIELD = b"\x80\x7d\x01"
"""A varint 1 as field 2 000."""
TIMESTAMP, DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
INT64_MIN = -(2**63)
BEFORE_2000 = 946_684_799
YEAR_2200 = 7_258_118_400

WHOLE_NUMBERS = {FieldDescriptor.CPPTYPE_INT32: -(2**31), FieldDescriptor.CPPTYPE_INT64: -(2**63)}


@dataclass(frozen=True, slots=True)
class Flaw:
    """A request with one thing wrong.

    Attributes:
        path: the field to blame, "points.units".
        what: is wrong with it.
        request: the flawed message.
        other_names: paths that may be blamed as well: the choices of a oneof of which none was made.
    """

    path: str
    what: str
    request: Message
    other_names: tuple[str, ...] = ()

    def is_named_by(self, fields: tuple[str, ...]) -> bool:
        """Whether a refusal blames the field, an element of it or, when it is missing, a field within."""
        return any(
            field == path or field.startswith((f"{path}.", f"{path}["))
            for field in fields
            for path in (self.path, *self.other_names)
        )


def flaws_of(good: Message) -> list[Flaw]:
    """All flaws of a good request."""
    return list(_flaws(good, "", lambda changed: changed))


def _flaws(message: Message, prefix: str, whole: Callable[[Message], Message]) -> Iterator[Flaw]:
    """Flaws of a message, which `whole` puts back into the request it is a part of."""
    fields: Any = message.DESCRIPTOR.fields
    for field in fields:
        if not _is_looked_at(message, field):
            continue
        for what, change in _changes(message, field):
            copy = type(message)()
            copy.CopyFrom(message)
            change(copy)
            yield Flaw(f"{prefix}{field.name}", what, whole(copy), _choices(field, prefix))
        if field.message_type is not None and field.message_type.full_name not in {TIMESTAMP, DURATION}:
            yield from _within(message, field, prefix, whole)
    yield Flaw(f"{prefix}field {UNKNOWN_NUMBER}", "unknown", whole(_with_unknown_field(message)))


def _choices(field: FieldDescriptor, prefix: str) -> tuple[str, ...]:
    oneof = field.containing_oneof
    return () if oneof is None else tuple(f"{prefix}{name}" for name in (oneof.name, *(f.name for f in oneof.fields)))


def _is_looked_at(message: Message, field: FieldDescriptor) -> bool:
    """What is left out of the good request on purpose is not looked at: setting it would change more than one thing."""
    if is_output_only(field.full_name):
        return False
    return not field.has_presence or message.HasField(field.name)


def _within(
    message: Message, field: FieldDescriptor, prefix: str, whole: Callable[[Message], Message]
) -> Iterator[Flaw]:
    if field.message_type is None or field.message_type.GetOptions().map_entry:
        return
    parts: Any = getattr(message, field.name)
    for place, part in enumerate(parts) if field.is_repeated else [(None, parts)]:

        def put_back(changed: Message, place: int | None = place) -> Message:
            copy = type(message)()
            copy.CopyFrom(message)
            there: Any = getattr(copy, field.name)
            (there if place is None else there[place]).CopyFrom(changed)
            return whole(copy)

        inner = f"{prefix}{field.name}." if place is None else f"{prefix}{field.name}[{place}]."
        yield from _flaws(part, inner, put_back)


def _with_unknown_field(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    copy.MergeFromString(UNKNOWN_FIELD)
    return copy


def _changes(message: Message, field: FieldDescriptor) -> Iterator[tuple[str, Callable[[Any], None]]]:
    name = field.name
    if is_required(field.full_name) or _is_required_choice(field):
        yield "missing", lambda copy: copy.ClearField(name)
    if field.is_repeated:
        yield from _changes_of_repeated(field)
        return
    for what, value in _bad_values(message, field):
        yield what, _setting(name, value)


def _setting(name: str, value: Any) -> Callable[[Any], None]:
    def change(copy: Any) -> None:
        if isinstance(value, Message):
            getattr(copy, name).CopyFrom(value)
        else:
            setattr(copy, name, value)

    return change


def _is_required_choice(field: FieldDescriptor) -> bool:
    return field.containing_oneof is not None and is_required(field.containing_oneof.full_name)


def _changes_of_repeated(field: FieldDescriptor) -> Iterator[tuple[str, Callable[[Any], None]]]:
    name = field.name
    if field.enum_type is not None:
        yield "unknown enum", lambda copy: getattr(copy, name).append(99)
        yield "unspecified enum", lambda copy: getattr(copy, name).append(0)
        yield "twice", lambda copy: getattr(copy, name).append(getattr(copy, name)[0])
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        yield "negative", lambda copy: getattr(copy, name).update({"CNY": -1})
        yield "no currency", lambda copy: getattr(copy, name).update({"XYZ": 1})
        yield "NUL", lambda copy: getattr(copy, name).update({"\0": 1})


def _bad_values(message: Message, field: FieldDescriptor) -> Iterator[tuple[str, Any]]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        # Any bytes may stand there: what they say is for the use case.
        return
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        yield from _bad_texts(getattr(message, field.name))
    elif field.cpp_type in WHOLE_NUMBERS:
        yield "negative", -1
        yield "least", WHOLE_NUMBERS[field.cpp_type]
    elif field.enum_type is not None:
        yield "unknown enum", 99
        yield "negative enum", -1
    elif field.message_type is not None and field.message_type.full_name == DURATION:
        too_long = 400 * 86_400 + 1
        for seconds, nanos in ((-1, 0), (0, 0), (0, 10**9 - 1), (5, -1), (5, 10**9), (too_long - 1, 1), (too_long, 0)):
            yield f"{seconds} s {nanos} ns", Duration(seconds=seconds, nanos=nanos)
    elif field.message_type is not None and field.message_type.full_name == TIMESTAMP:
        for seconds, nanos in ((BEFORE_2000, 0), (YEAR_2200, 0), (INT64_MIN, 0), (-INT64_MIN - 1, 0)):
            yield f"{seconds} s", Timestamp(seconds=seconds, nanos=nanos)
        yield "negative nanos", Timestamp(seconds=YEAR_2200 - 9, nanos=-1)
        yield "too many nanos", Timestamp(seconds=YEAR_2200 - 9, nanos=10**9)


def _bad_texts(good: str) -> Iterator[tuple[str, str]]:
    yield "oversized", TOO_LONG
    yield "NUL", f"{good}\0"
    yield "control character", f"{good}\n"
    if re.fullmatch(r"[A-Z]{3}", good):
        yield from {
            "lower case": good.lower(),
            "too short": good[:2],
            "too long": f"{good}X",
            "no currency": "ZZZ",
        }.items()
    elif re.fullmatch(r"\w+/[^/]+", good):
        collection, _, identifier = good.rpartition("/")
        yield from {
            "no name": "nonsense",
            "no id": f"{collection}/",
            "of another collection": f"things/{identifier}",
            "with more behind": f"{good}/x",
            "with space": f"{good} ",
            "without collection": identifier,
            "with slash before": f"/{good}",
        }.items()
