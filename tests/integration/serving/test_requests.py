"""What comes over the wire and is no request a method could carry out."""

import grpc
import pytest

from exchange.serving.parsing import MESSAGE_BYTES_MAX
from exchange.v1.transfer_service_pb2 import BatchTransferRequest, ConvertPointsRequest, TransferItem
from exchange.v1.types_pb2 import PointsAmount
from tests.integration.serving.probe import a_probe, refusal_of

A_CONVERSION = ConvertPointsRequest(request_id="r1", source=PointsAmount(currency="currencies/TEL", units=5))
FIELD_99 = b"\x98\x06\x01"
"""Field 99 holding the number 1, on the wire."""


@pytest.mark.parametrize("method", ["/probe.v1.Probe/Nothing", "/nobody.v1.Knows/This"])
async def test_a_method_that_does_not_exist_is_told_so(method: str) -> None:
    """The answer of gRPC itself would carry no reason."""
    async with a_probe(authorization=None) as (client, _):
        refusal = await client.refused(method)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNIMPLEMENTED, "UNKNOWN_METHOD")
    assert refusal.metadata == {"method": method}


async def test_bytes_that_are_no_message_are_refused() -> None:
    """The answer of gRPC itself would be UNKNOWN with the text of a Python exception."""
    async with a_probe() as (client, _):
        refusal = await client.refused("Echo", b"\xff\xff\xff")

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


async def test_text_that_is_not_utf_8_is_refused() -> None:
    """A string field with broken characters is as malformed as a broken length."""
    async with a_probe() as (client, _):
        refusal = await client.refused("Echo", b"\x0a\x02\xc3\x28")

    assert refusal.reason == "MALFORMED_MESSAGE"


async def test_an_unknown_field_is_refused_by_number() -> None:
    """A newer client may mean something by it that we would silently not do."""
    async with a_probe() as (client, _):
        refusal = await client.refused("Echo", A_CONVERSION.SerializeToString() + FIELD_99)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert refusal.fields == ["field 99"]


async def test_an_unknown_field_deep_in_a_batch_is_found() -> None:
    """The path leads through the items to the message that holds it."""
    bad_points = A_CONVERSION.source.SerializeToString() + FIELD_99
    bad = ConvertPointsRequest.FromString(b"\x22" + bytes([len(bad_points)]) + bad_points)
    batch = BatchTransferRequest(items=[TransferItem(convert=A_CONVERSION), TransferItem(convert=bad)])
    async with a_probe() as (client, _):
        refusal = await client.refused("Batch", batch)

    assert refusal.fields == ["items[1].convert.source.field 99"]


async def test_an_unusual_encoding_of_known_fields_is_read() -> None:
    """Some clients write zeroes that others leave out; that is no unknown field."""
    written_out_false = b"\x38\x00"
    async with a_probe() as (client, _):
        answer = await client.call("Echo", A_CONVERSION.SerializeToString() + written_out_false)

    assert answer == A_CONVERSION


async def test_a_message_above_the_limit_is_refused_in_words() -> None:
    """RESOURCE_EXHAUSTED, as gRPC would say, invites to try the same again."""
    too_large = ConvertPointsRequest(reference="x" * MESSAGE_BYTES_MAX)
    async with a_probe() as (client, _):
        refusal = await client.refused("Echo", too_large)

    assert (refusal.code, refusal.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["message"])


async def test_a_message_far_above_the_limit_is_not_even_read() -> None:
    """The library itself stops it, so that nobody fills our memory."""
    far_too_large = ConvertPointsRequest(reference="x" * 2 * MESSAGE_BYTES_MAX)
    async with a_probe() as (client, _):
        refusal = await client.refused("Echo", far_too_large)

    assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_malformed_message_in_a_stream_ends_it_in_words() -> None:
    """What came before it was answered; then the stream ends with the reason."""
    async with a_probe() as (client, _):
        chat = client.chat()
        await chat.write(A_CONVERSION)
        first = await chat.read()
        await chat.write(b"\xff\xff\xff")
        refusal = await refusal_of(chat.read())

    assert first == A_CONVERSION
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
