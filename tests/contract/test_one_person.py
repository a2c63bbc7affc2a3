"""Points never move between persons: no request on the wire could even ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from tests.contract.methods import METHODS

LISTS = {"BatchTransfer": "items", "StreamTransfers": "item"}
"""Methods whose request holds other methods' requests, each decided for itself."""
FOLLOWED = {"hold", "original", "quote"}
"""What was done with one person's points before; whose they are is known and not said again."""


def persons_in(message: Any, path: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Where a request names a person: fields, or choices of one field, at any depth."""
    for field in message.fields:
        if field.containing_oneof is not None and field.containing_oneof.name == "member_key":
            if field.name == "member":
                yield f"{path}member_key"
        elif field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type.full_name not in seen:
            yield from persons_in(field.message_type, f"{path}{field.name}.", (*seen, message.full_name))
        elif field.name in {"member", "members", "member_reference"}:
            yield f"{path}{field.name}"


@pytest.mark.parametrize("name", METHODS)
def test_no_request_names_two_persons(name: str) -> None:
    """Not one to take from and one to give to: where a request follows an earlier movement, it names nobody."""
    request: Any = METHODS[name].request
    items: list[Any] = [request]
    if name in LISTS:
        items = [field.message_type for field in request.fields_by_name[LISTS[name]].message_type.fields]

    for item in items:
        named = list(persons_in(item))
        assert len(named) <= 1, f"{item.full_name} names {named}"
        follows = {field.name for field in item.fields} & FOLLOWED
        assert not (named and follows - {"quote"}), f"{item.full_name} follows {follows} and names {named}"


def test_whoever_moves_points_is_among_them() -> None:
    """Else the walk above would look at nothing."""
    assert list(persons_in(METHODS["EarnPoints"].request)) == ["member_key"]
    assert list(persons_in(METHODS["CloseMember"].request)) == ["member"]
    assert list(persons_in(METHODS["ProposeAdjustment"].request)) == ["member_key"]
    assert list(persons_in(METHODS["ReverseTransfer"].request)) == []
    batch: Any = METHODS["BatchTransfer"].request
    assert len(batch.fields_by_name["items"].message_type.fields) >= 10
