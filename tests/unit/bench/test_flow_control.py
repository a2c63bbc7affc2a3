"""Sending under HTTP/2's windows: nothing beyond them, and everything in the end."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from bench.load import frames
from bench.load.uploads import Uploads

messages = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6)
grants = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 200)), max_size=30)


def data_in(octets: bytes) -> list[tuple[int, int, bytes]]:
    """Stream, flags and content of each DATA frame."""
    found = []
    while octets:
        high, low, kind, flags, stream = frames.HEAD.unpack_from(octets)
        assert kind == frames.DATA
        end = frames.HEAD_BYTES + (high << 8 | low)
        found.append((stream, flags, octets[frames.HEAD_BYTES : end]))
        octets = octets[end:]
    return found


@given(messages, grants, st.integers(1, 100))
def test_a_peer_never_gets_more_than_it_allowed_and_in_the_end_everything(
    sent: list[bytes], given: list[tuple[int, int]], stream_window: int
) -> None:
    """Whatever it allows, in whatever order, on the connection (0) or a stream."""
    uploads = Uploads()
    uploads.frame_bytes_max = 64
    uploads.set_stream_window(stream_window)
    allowed = {2 * place + 1: stream_window for place in range(len(sent))}
    allowed[0] = frames.WINDOW_BYTES_DEFAULT
    got: dict[int, bytes] = defaultdict(bytes)
    ended: list[int] = []

    def take(octets: bytes) -> None:
        for stream, flags, content in data_in(octets):
            assert len(content) <= uploads.frame_bytes_max
            allowed[stream] -= len(content)
            allowed[0] -= len(content)
            assert allowed[stream] >= 0
            assert allowed[0] >= 0
            got[stream] += content
            if flags & frames.END_STREAM:
                ended.append(stream)

    for place, message in enumerate(sent):
        uploads.add(2 * place + 1, message)
        take(uploads.send())
    for place, octets in given:
        stream = 0 if place == 0 else 2 * (place - 1) + 1
        if stream in allowed:
            allowed[stream] += octets
            uploads.widen(stream, octets)
            take(uploads.send())
    for stream in allowed:
        allowed[stream] += 10**6
        uploads.widen(stream, 10**6)
        take(uploads.send())

    assert [got[2 * place + 1] for place in range(len(sent))] == sent
    assert sorted(ended) == [2 * place + 1 for place in range(len(sent))]


def test_small_messages_wait_behind_a_held_up_one() -> None:
    """Passing by would let the large one starve on the connection's window."""
    uploads = Uploads()
    uploads.add(1, bytes(frames.WINDOW_BYTES_DEFAULT + 1))

    uploads.send()

    assert not uploads.pass_by(1)


def test_a_smaller_stream_window_takes_back_what_is_not_yet_used() -> None:
    """RFC 9113, 6.9.2: streams under way move by the difference, and may owe until the peer allows more."""
    uploads = Uploads()
    uploads.set_stream_window(100)
    uploads.add(1, bytes(150))
    assert sum(len(content) for _, _, content in data_in(uploads.send())) == 100

    uploads.set_stream_window(60)
    uploads.widen(1, 40)

    assert uploads.send() == b""
    uploads.widen(1, 10)
    assert sum(len(content) for _, _, content in data_in(uploads.send())) == 10
