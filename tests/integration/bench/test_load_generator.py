"""The load generator against gRPC's own server: what it counts is what the server did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc import aio

from bench.load.connection import ProtocolError
from bench.load.drive import drive
from bench.load.plan import Lane, Outcome, Plan

METHOD = "/test.Echo/Call"

Behaviour = Callable[[bytes, Any], Any]


@asynccontextmanager
async def a_server_that(does: Behaviour, **options: int) -> AsyncIterator[tuple[aio.Server, int]]:
    """A gRPC server with one method on raw bytes, and its port."""
    server = aio.server(options=[(f"grpc.{name}", value) for name, value in options.items()])
    handler = grpc.method_handlers_generic_handler("test.Echo", {"Call": grpc.unary_unary_rpc_method_handler(does)})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield server, port
    finally:
        await server.stop(None)


async def driven(port: int, bodies: list[list[bytes]], **plan: Any) -> Outcome:
    """The outcome of sending these requests, one list over each connection."""
    wanted: dict[str, Any] = {"path": METHOD, "in_flight": 8, "seconds": 30.0, "warmup_seconds": 0.0} | plan
    return await asyncio.to_thread(
        drive, Plan(port=port, lanes=tuple(Lane(each, "secret") for each in bodies), **wanted)
    )


def length_of(answer: bytes) -> dict[str, int]:
    """To be summed up by the generator."""
    return {"octets": len(answer), f"of {len(answer)}": 1}


async def test_every_call_arrives_once_with_its_headers_and_is_counted_once() -> None:
    """Two connections; the run ends when the prepared requests do."""
    got: Counter[bytes] = Counter()
    callers = set()

    async def count(request: bytes, context: Any) -> bytes:
        got[request] += 1
        metadata = dict(context.invocation_metadata())
        callers.add((metadata["authorization"], metadata["user-agent"]))
        assert context.time_remaining() < 31
        return b"answer to " + request

    sent = [[f"{lane}-{call}".encode() for call in range(500)] for lane in range(2)]
    async with a_server_that(count) as (_, port):
        outcome = await driven(port, sent, inspect=length_of)

    assert outcome.ran_out
    assert not outcome.failed
    assert callers == {("Bearer secret", "bench-load/1")}
    assert max(got.values()) == 1
    # A lane that has nothing left ends the measured time; what was under way then is finished but not counted.
    assert 500 <= outcome.ok <= len(got) <= 1_000
    assert sum(outcome.counts[name] for name in outcome.counts if name != "octets") == outcome.ok


async def test_large_messages_pass_both_ways_under_flow_control() -> None:
    """Far beyond every first window, so that either side has to wait for the other's leave."""
    large = 3_000_000

    async def echo(request: bytes, _context: Any) -> bytes:
        return request

    async with a_server_that(echo, max_receive_message_length=2 * large) as (_, port):
        outcome = await driven(port, [[bytes([call]) * large for call in range(20)]], inspect=length_of, in_flight=3)

    assert not outcome.failed
    assert outcome.counts[f"of {large}"] == outcome.ok
    assert outcome.ok > 10


async def test_refusals_are_kept_by_code_and_never_counted_as_answers() -> None:
    """Trailers too long for one frame come as CONTINUATION."""

    async def refuse(request: bytes, context: Any) -> bytes:
        if request == b"odd":
            context.set_trailing_metadata([(f"long-{part}", "x" * 7_000) for part in range(6)])
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no")
        return b"fine"

    async with a_server_that(refuse) as (_, port):
        outcome = await driven(port, [[b"odd", b"even"] * 100])

    assert outcome.failed == {"9": 100}
    assert 90 <= outcome.ok <= 100


async def test_a_server_may_allow_few_calls_at_once() -> None:
    """Streams beyond its limit would be refused; the generator never makes it come to that."""

    async def slow(_request: bytes, _context: Any) -> bytes:
        await asyncio.sleep(0.001)
        return b""

    async with a_server_that(slow, max_concurrent_streams=6) as (_, port):
        outcome = await driven(port, [[b"x"] * 300], in_flight=100)

    assert not outcome.failed
    assert outcome.ok > 200


async def test_calls_a_stopping_server_did_not_answer_are_told() -> None:
    """Nothing hangs: what was answered counts, everything else has a reason."""
    answered = 0
    enough = asyncio.Event()

    async def answer(_request: bytes, _context: Any) -> bytes:
        nonlocal answered
        answered += 1
        if answered == 200:
            enough.set()
        return b""

    async with a_server_that(answer) as (server, port):
        run = asyncio.create_task(driven(port, [[b"x"] * 50_000]))
        await enough.wait()
        await server.stop(0.5)
        outcome = await run

    assert outcome.ran_out
    assert 0 < outcome.ok <= answered


async def test_an_open_loop_starts_calls_at_its_own_rate() -> None:
    """A server that answers at once is asked as often as was said, not as often as it could be."""

    async def answer(_request: bytes, _context: Any) -> bytes:
        return b""

    async with a_server_that(answer) as (_, port):
        outcome = await driven(port, [[b"x"] * 5_000], seconds=1.0, per_second=200.0)

    assert not outcome.ran_out
    assert 0 < outcome.ok < 400


async def test_an_open_loop_that_falls_behind_says_so() -> None:
    """What cannot be started when it falls due is missing in what was sent: the load was not there."""

    async def dawdle(_request: bytes, _context: Any) -> bytes:
        await asyncio.sleep(0.05)
        return b""

    async with a_server_that(dawdle, max_concurrent_streams=4) as (_, port):
        behind = await driven(port, [[b"x"] * 20_000], seconds=0.5, per_second=10_000.0)
        closed = await driven(port, [[b"x"] * 20_000], seconds=0.5, in_flight=2)

    assert behind.wanted is not None
    assert 0 < behind.sent < behind.wanted / 10
    # Two at a time: hardly more are started than answered.
    assert (closed.wanted, abs(closed.sent - closed.ok) <= 2) == (None, True)


async def test_whoever_speaks_no_http_2_is_not_measured() -> None:
    """An error at once, not a run of zero calls."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        with pytest.raises((OSError, ProtocolError)):
            await driven(server.sockets[0].getsockname()[1], [[b"x"]])


async def test_the_measured_time_is_the_time_between_its_ends() -> None:
    """Calls of the warm-up are made and not counted."""
    answered = 0

    async def answer(_request: bytes, _context: Any) -> bytes:
        nonlocal answered
        answered += 1
        return b""

    async with a_server_that(answer) as (_, port):
        outcome = await driven(port, [[b"x"] * 50_000], warmup_seconds=0.3, seconds=0.3)

    assert 0 < outcome.ok < answered
