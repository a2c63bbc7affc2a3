"""Bytes to messages, strictly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.refusals import InvalidField, MalformedMessage
from exchange.serving.parsing import strict
from exchange.v1.transfer_service_pb2 import BatchTransferRequest, ConvertPointsRequest, TransferItem
from exchange.v1.types_pb2 import PointsAmount

parse = strict(BatchTransferRequest.FromString)

conversions = st.builds(
    ConvertPointsRequest,
    request_id=st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    source=st.builds(PointsAmount, units=st.integers(-(2**63), 2**63 - 1)),
    validate_only=st.booleans(),
)
batches = st.builds(BatchTransferRequest, items=st.lists(st.builds(TransferItem, convert=conversions), max_size=4))


@given(st.binary(max_size=60))
def test_bytes_are_a_message_or_a_refusal(data: bytes) -> None:
    """Nothing else ever comes out, whatever a peer sends."""
    try:
        message = parse(data)
    except (MalformedMessage, InvalidField):
        return
    assert BatchTransferRequest.FromString(message.SerializeToString()) == message


@given(batches)
@settings(max_examples=30)
def test_a_message_comes_through_unchanged(batch: BatchTransferRequest) -> None:
    """Fields we know are what a good client sends."""
    assert parse(batch.SerializeToString()) == batch


@given(batches, st.integers(50, 2**29 - 1), st.binary(max_size=5))
@settings(max_examples=30)
def test_an_unknown_field_never_passes(batch: BatchTransferRequest, number: int, content: bytes) -> None:
    """Wherever its number, and however small its content."""
    field = _varint(number << 3 | 2) + _varint(len(content)) + content

    with pytest.raises(InvalidField) as refused:
        parse(batch.SerializeToString() + field)

    assert list(refused.value.violations) == [f"field {number}"]


def test_every_unknown_field_is_named() -> None:
    """Those of the items as well, with their index; a field sent twice is named once."""
    number_7 = b"\x38\x01"
    item = b"\x0a" + bytes([len(number_7)]) + number_7

    with pytest.raises(InvalidField) as refused:
        parse(item + item + number_7 + number_7)

    assert list(refused.value.violations) == ["field 7", "items[0].field 7", "items[1].field 7"]


def _varint(number: int) -> bytes:
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])
