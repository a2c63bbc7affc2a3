"""One connection of the load generator: only what was answered OK counts, however the server's bytes arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load import frames
from bench.load.connection import Connection, ProtocolError, Tally

HEADERS = [(b":method", b"POST"), (b":path", b"/s/m"), (b"authorization", b"Bearer secret")]
STATUS_200 = b"\x88"
LAST = frames.END_HEADERS | frames.END_STREAM


def a_connection(calls: int = 3, *, keep_bodies: bool = False) -> tuple[Connection, Tally]:
    """A connection that has been greeted, with so many calls under way since instant 0."""
    tally = Tally()
    connection = Connection(0, HEADERS, [b"request"] * calls, tally, keep_bodies=keep_bodies)
    connection.receive(frames.settings({}), 0)
    connection.submit(calls, 0)
    return connection, tally


def literal(name: bytes, value: bytes, *, kept: bool = False) -> bytes:
    """A header spelt out, kept in the table or not."""
    return bytes([0x40 if kept else 0, len(name)]) + name + bytes([len(value)]) + value


def status(code: bytes) -> bytes:
    """A block with a gRPC status."""
    return literal(b"grpc-status", code)


def answer(stream: int, trailers: bytes = status(b"0"), body: bytes = b"answer") -> bytes:
    """A whole answer."""
    return (
        frames.frame(frames.HEADERS, frames.END_HEADERS, stream, STATUS_200)
        + frames.frame(frames.DATA, 0, stream, frames.grpc_message(body))
        + frames.frame(frames.HEADERS, LAST, stream, trailers)
    )


def test_only_answers_with_status_0_count() -> None:
    """The others are kept by their code; one without any code is told apart."""
    connection, tally = a_connection()

    connection.receive(answer(1) + answer(3, status(b"14")) + answer(5, literal(b"x", b"y")), 70)

    assert tally.latencies == [70]
    assert tally.failed == {"14": 1, "no status": 1}
    assert connection.open == 0


def test_latency_counts_from_the_instant_a_call_was_due() -> None:
    """An open loop gives that instant, however late the call could start."""
    tally = Tally()
    connection = Connection(0, HEADERS, [b"request"] * 2, tally, keep_bodies=False)
    connection.receive(frames.settings({}), 0)

    connection.submit(1, 100)
    connection.submit(1, 150)
    connection.receive(answer(1) + answer(3), 1_000)

    assert tally.latencies == [900, 850]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int]) -> None:
    """A frame may arrive in any number of pieces, or many at once."""
    connection, tally = a_connection(keep_bodies=True)
    octets = answer(1) + answer(3, status(b"5")) + answer(5, body=b"long " * 30)

    pieces = itertools.cycle(cuts)
    while octets:
        size = next(pieces)
        connection.receive(octets[:size], 1)
        octets = octets[size:]

    assert len(tally.latencies) == 2
    assert tally.failed == {"5": 1}
    assert [(call, body) for _, call, body in tally.bodies] == [(0, b"answer"), (2, b"long " * 30)]


def test_a_remembered_block_is_forgotten_when_the_table_moves() -> None:
    """The same octets mean "status 0" once, and something else after another header has been put before it."""
    connection, tally = a_connection(calls=3)
    newest = b"\xbe"

    connection.receive(answer(1, literal(b"grpc-status", b"0", kept=True)) + answer(3, newest), 1)
    connection.receive(answer(5, literal(b"grpc-status", b"13", kept=True) + newest), 1)

    assert (len(tally.latencies), tally.failed) == (2, {"13": 1})
    later, tally = a_connection(calls=3)
    later.receive(answer(1, literal(b"grpc-status", b"0", kept=True)) + answer(3, newest), 1)
    later.receive(frames.frame(frames.HEADERS, frames.END_HEADERS, 5, literal(b"grpc-status", b"7", kept=True)), 1)
    later.receive(frames.frame(frames.HEADERS, LAST, 5, newest), 1)
    assert tally.failed == {"7": 1}


def test_headers_in_several_frames_with_padding_and_priority_are_one_block() -> None:
    """CONTINUATION, PADDED and PRIORITY are rare and allowed."""
    connection, tally = a_connection(calls=1)
    block = status(b"0")
    padded = bytes([2]) + bytes(5) + block[:4] + bytes(2)
    first = frames.frame(frames.HEADERS, frames.END_STREAM | frames.PADDED | frames.PRIORITY, 1, padded)
    rest = frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[4:])

    connection.receive(first + rest, 1)

    assert len(tally.latencies) == 1


def test_nothing_may_stand_between_the_parts_of_a_block() -> None:
    """A server that does so is not worth measuring."""
    connection, _ = a_connection(calls=1)
    cut = frames.frame(frames.HEADERS, frames.END_STREAM, 1, status(b"0")[:3])

    with pytest.raises(ProtocolError, match="cut in two"):
        connection.receive(cut + frames.frame(frames.PING, 0, 0, bytes(8)), 1)


def test_pings_and_settings_are_acknowledged() -> None:
    """A server that hears nothing back hangs up."""
    connection, _ = a_connection()

    reply = connection.receive(frames.frame(frames.PING, 0, 0, b"12345678") + frames.settings({}), 1)

    assert reply == frames.frame(frames.PING, frames.ACK, 0, b"12345678") + frames.frame(frames.SETTINGS, frames.ACK, 0)


def test_a_reset_call_has_failed_but_not_one_that_was_answered() -> None:
    """After the trailers a server may reset the stream: that answer stands."""
    connection, tally = a_connection(calls=2)
    reset = frames.word(7)

    connection.receive(answer(1) + frames.frame(frames.RST_STREAM, 0, 1, reset), 1)
    connection.receive(frames.frame(frames.RST_STREAM, 0, 3, reset), 1)

    assert len(tally.latencies) == 1
    assert tally.failed == {"RST_STREAM 7": 1}


def test_after_goaway_old_calls_end_and_no_new_ones_start() -> None:
    """Calls beyond the last stream it names were not looked at."""
    connection, tally = a_connection(calls=3)

    connection.receive(frames.frame(frames.GOAWAY, 0, 0, frames.word(1) + frames.word(0)), 1)
    connection.receive(answer(1), 1)

    assert len(tally.latencies) == 1
    assert tally.failed == {"GOAWAY": 2}
    assert connection.submit(1, 2) == b""
    assert connection.left == 0


def test_a_connection_ended_in_anger_ends_the_run() -> None:
    """Whatever the server minds, the figures would be wrong."""
    connection, _ = a_connection()
    too_much = frames.word(0) + frames.word(11) + b"too_many_pings"

    with pytest.raises(ProtocolError, match=r"error 11.*too_many_pings"):
        connection.receive(frames.frame(frames.GOAWAY, 0, 0, too_much), 1)


def test_calls_without_an_end_are_lost() -> None:
    """A broken connection leaves its calls undecided: they are no answers."""
    connection, tally = a_connection(calls=2)
    connection.receive(answer(1), 1)

    connection.lose()

    assert tally.failed == {"LOST": 1}


def test_no_more_calls_are_under_way_than_half_of_what_the_server_allows() -> None:
    """A gRPC server counts streams longer than we do, and refuses the one too many."""
    connection = Connection(0, HEADERS, [b"request"] * 20, Tally(), keep_bodies=False)
    connection.receive(frames.settings({frames.SETTINGS_MAX_CONCURRENT_STREAMS: 8}), 0)

    connection.submit(20, 0)

    assert connection.open == 4


def test_a_large_message_waits_for_the_windows_and_later_calls_behind_it() -> None:
    """The second call's message comes out only after the first one's is through."""
    connection = Connection(0, HEADERS, [bytes(70_000), b"small"], Tally(), keep_bodies=False)
    connection.receive(frames.settings({}), 0)

    sent = connection.submit(2, 0)
    assert b"small" not in sent
    more = connection.receive(frames.window_update(1, 10**6) + frames.window_update(0, 10**6), 1)

    assert len(sent) + len(more) > 70_000
    assert more.endswith(frames.frame(frames.DATA, frames.END_STREAM, 3, frames.grpc_message(b"small")))
