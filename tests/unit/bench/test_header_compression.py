"""The generator's header compression against the examples of its standard, and against itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load import huffman
from bench.load.hpack import Decoder, RequestHeaders, number

# RFC 7541, appendix C.4: three requests of one connection, Huffman coded, each building on the table of those before.
REQUESTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("828684418cf1e3c2e5f23a6ba0ab90f4ff", {}),
    ("828684be5886a8eb10649cbf", {"cache-control": "no-cache"}),
    ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", {"custom-key": "custom-value"}),
)

# Appendix C.6: three answers of one connection whose table has room for 256 octets, so that entries fall out.
ANSWERS = (
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    (
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af2708"
        "7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"
    ),
)

headers = st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=80)), max_size=12)


def test_the_requests_of_the_standard_are_read() -> None:
    """Huffman strings, static and dynamic table together."""
    decoder = Decoder()

    read = [dict(decoder.decode(bytes.fromhex(block))) for block, _ in REQUESTS]

    for found, (_, extra) in zip(read, REQUESTS, strict=True):
        assert found[b":authority"] == b"www.example.com"
        assert {name: found[name.encode()].decode() for name in extra} == extra
    assert read[2][b":scheme"] == b"https"


def test_what_falls_out_of_a_small_table_is_forgotten() -> None:
    """The standard's answers only decode when eviction happens at the very entry it should."""
    decoder = Decoder()
    shrink_to_256 = number(256, 5, 0x20)

    first, second, third = (
        dict(decoder.decode(prefix + bytes.fromhex(block)))
        for prefix, block in zip((shrink_to_256, b"", b""), ANSWERS, strict=True)
    )

    assert (first[b":status"], second[b":status"], third[b":status"]) == (b"302", b"307", b"200")
    assert second[b"location"] == b"https://www.example.com"
    assert third[b"set-cookie"] == b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"


@given(sent=headers, table_bytes=st.sampled_from([0, 100, 1_000, 4_096, 65_536]))
def test_a_request_says_the_same_the_first_and_every_later_time(
    sent: list[tuple[bytes, bytes]], table_bytes: int
) -> None:
    """The later blocks only name what the first put into the table; with too small a table they spell it out."""
    decoder = Decoder()
    written = RequestHeaders.of(sent, table_bytes=table_bytes)

    read = [decoder.decode(block) for block in (written.first, written.again, written.again)]

    assert read == [sent, sent, sent]


@given(st.integers(0, 2**27), st.integers(1, 7))
def test_numbers_of_any_size_come_back(value: int, prefix_bits: int) -> None:
    """A table-size update carries one; so do lengths and indices."""
    octets = number(value, prefix_bits, 0) + b"rest"

    assert _read(octets, prefix_bits) == (value, b"rest")


def _read(octets: bytes, prefix_bits: int) -> tuple[int, bytes]:
    """RFC 7541, section 5.1, word for word."""
    limit = 2**prefix_bits - 1
    value, at, shift = octets[0] & limit, 1, 0
    if value < limit:
        return value, octets[1:]
    while True:
        octet = octets[at]
        value += (octet & 127) * 2**shift
        shift, at = shift + 7, at + 1
        if not octet & 128:
            return value, octets[at:]


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(block: bytes) -> None:
    """Never another error: a broken server must end a run with its reason."""
    try:
        Decoder().decode(block)
    except ValueError:
        return


@pytest.mark.parametrize(
    "coded", ["ffffffff", "00", "f8ff"], ids=["end-of-string mark", "filled up with zeros", "a whole octet of filling"]
)
def test_broken_huffman_strings_are_refused(coded: str) -> None:
    """Each of these is an error by section 5.2."""
    with pytest.raises(ValueError, match="Huffman"):
        huffman.decode(bytes.fromhex(coded))
