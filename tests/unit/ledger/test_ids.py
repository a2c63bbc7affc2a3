"""Identifiers: RFC 9562's version 7, in the order they were made, and the bucket in their last ten bits."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID
from zlib import crc32

import pytest

from exchange.ledger.ids import new_id
from exchange.ledger.model import BUCKETS, key_bucket, transfer_bucket


def test_an_identifier_is_a_version_7_of_this_moment() -> None:
    """Its first six bytes are the milliseconds since 1970."""
    before = time.time_ns() // 1_000_000

    made = UUID(bytes=new_id().bytes)

    assert (made.version, made.variant) == (7, RFC_4122)
    # More than 4 096 in a millisecond borrow from the next ones.
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 10


def test_identifiers_are_in_the_order_they_were_made_and_none_comes_twice() -> None:
    """Also beyond what one millisecond can number."""
    made = [new_id(number % BUCKETS) for number in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("bucket", [0, 1, 255, 256, 257, 1022, 1023])
def test_the_bucket_stands_in_the_last_ten_bits(bucket: int) -> None:
    """Whoever has a transfer's name knows where its row lives; what else is random stays so."""
    made = [new_id(bucket) for _ in range(200)]

    assert {transfer_bucket(one) for one in made} == {bucket}
    assert len({one.int >> 10 & 0xFFFF for one in made}) > 190
    assert {UUID(bytes=one.bytes).variant for one in made} == {RFC_4122}


@pytest.mark.parametrize("request_id", ["r", "0" * 64, "a key: with blanks", "钥匙"])
def test_a_request_key_lives_where_its_text_says(request_id: str) -> None:
    """Rows are laid out by it: that never changes. The first time a merchant is met, and ever after."""
    at = crc32(f"4711:{request_id}".encode()) % BUCKETS

    assert [key_bucket(4711, request_id), key_bucket(4711, request_id)] == [at, at]
