"""The client's side of one HTTP/2 connection that makes prepared unary gRPC calls; bytes in, bytes out, no socket.

The n-th call of a connection has stream 2n + 1, so whole requests are written as bytes before the clock starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.load import frames, hpack
from bench.load.uploads import Uploads

_STREAMS_AT_ONCE_DEFAULT = 50
_REFILL_BYTES = 2**29
_STATUS = b"grpc-status"


class ProtocolError(Exception):
    """The server broke HTTP/2, or this client understands it wrongly: nothing measured over it counts."""


@dataclass(slots=True)
class Tally:
    """What came of the calls of all connections of a run."""

    latencies: list[int] = field(default_factory=list)
    """Nanoseconds from start to trailers, of OK answers only, in order of arrival."""
    failed: dict[str, int] = field(default_factory=dict)
    """Everything else: gRPC status code, "RST_STREAM n", "GOAWAY" or "LOST" to how often."""
    bodies: list[tuple[int, int, bytes]] = field(default_factory=list)
    """(connection, call, serialised answer) of OK answers, when they are kept."""

    def fail(self, why: str) -> None:
        """Count a call that was not answered OK."""
        self.failed[why] = self.failed.get(why, 0) + 1


class Connection:
    """One connection's state.

    Args:
        number: Which connection of the run this is, for kept answers.
        headers: The request headers of every call.
        bodies: The serialised messages, in the order they will be sent.
        tally: Where results are counted.
        keep_bodies: Keep every OK answer's message.
        streams: Each body is many messages that have their prefixes; kept answers keep theirs too.
    """

    def __init__(
        self,
        number: int,
        headers: list[hpack.Header],
        bodies: Sequence[bytes],
        tally: Tally,
        *,
        keep_bodies: bool,
        streams: bool = False,
    ) -> None:
        self.streams_at_once = _STREAMS_AT_ONCE_DEFAULT
        self.ready = False
        self.going_away = False
        self._number = number
        self._headers = headers
        self._bodies = bodies
        self._prefix_bytes = 0 if streams else frames.GRPC_PREFIX_BYTES
        self._sizes = [len(body) + self._prefix_bytes for body in bodies]
        self._tally = tally
        self._blocks = hpack.RequestHeaders.of(headers)
        self._requests: list[bytes] = []
        self._next = 0
        self._started: dict[int, int] = {}
        self._uploads = Uploads()
        self._rest = b""
        self._taken = 0
        self._decoder = hpack.Decoder()
        self._meanings: dict[bytes, bytes | None] = {}
        self._unfinished: tuple[int, int, bytes] | None = None
        self._answers: dict[int, list[bytes]] | None = {} if keep_bodies else None
        self._by_kind: dict[int, Callable[[int, int, bytes, int], bytes]] = {
            frames.DATA: self._on_data,
            frames.HEADERS: self._on_headers,
            frames.CONTINUATION: self._on_continuation,
            frames.RST_STREAM: self._on_reset,
            frames.SETTINGS: self._on_settings,
            frames.PING: self._on_ping,
            frames.GOAWAY: self._on_goaway,
            frames.WINDOW_UPDATE: self._on_window_update,
            frames.PUSH_PROMISE: self._on_push,
        }

    @property
    def open(self) -> int:
        """Calls under way."""
        return len(self._started)

    @property
    def left(self) -> int:
        """Prepared calls not yet sent."""
        return 0 if self.going_away else len(self._bodies) - self._next

    def opening(self) -> bytes:
        """What a client says first. Answers may be of any size: both windows are as wide as HTTP/2 allows."""
        own = {frames.SETTINGS_ENABLE_PUSH: 0, frames.SETTINGS_INITIAL_WINDOW_SIZE: frames.WINDOW_BYTES_MAX}
        widened = frames.window_update(0, frames.WINDOW_BYTES_MAX - frames.WINDOW_BYTES_DEFAULT)
        return frames.PREFACE + frames.settings(own) + widened

    def submit(self, count: int, now: int) -> bytes:
        """Start up to `count` calls; fewer when the server allows no more at once or none are left.

        Args:
            count: How many.
            now: The instant they count from, nanoseconds.
        """
        if self.going_away:
            return b""
        first = self._next
        stop = min(first + count, first + self.streams_at_once - len(self._started), len(self._bodies))
        out = []
        for call in range(first, stop):
            self._started[2 * call + 1] = now
            request = self._requests[call]
            if request and self._uploads.pass_by(self._sizes[call]):
                out.append(request)
            else:
                out.append(self._begin_upload(call))
        self._next = max(stop, first)
        return b"".join(out)

    def receive(self, chunk: bytes, now: int) -> bytes:
        """Take in what the server sent; returns what HTTP/2 wants said in reply.

        Raises:
            ProtocolError: it makes no sense.
        """
        data = self._rest + chunk if self._rest else chunk
        at, end = 0, len(data)
        head = frames.HEAD.unpack_from
        reply = b""
        while end - at >= frames.HEAD_BYTES:
            high, low, kind, flags, stream = head(data, at)
            start = at + frames.HEAD_BYTES
            stop = start + (high << 8 | low)
            if stop > end:
                break
            at = stop
            # Three frames make nearly all traffic: they are looked at here, everything else in its own method.
            if kind == frames.DATA and self._answers is None:
                self._taken += stop - start
            elif kind == frames.HEADERS and flags == frames.END_HEADERS | frames.END_STREAM:
                self._finish(stream, data[start:stop], now)
            elif kind == frames.HEADERS and flags == frames.END_HEADERS and data[start:stop] in self._meanings:
                pass
            else:
                reply += self._other(kind, flags, stream, data[start:stop], now)
        self._rest = data[at:]
        if self._taken > _REFILL_BYTES:
            reply += frames.window_update(0, self._taken)
            self._taken = 0
        return reply

    def lose(self) -> None:
        """The socket is gone: every call under way has an unknown end."""
        for _ in self._started:
            self._tally.fail("LOST")
        self._started.clear()
        self._uploads = Uploads()
        self.going_away = True

    # ------------------------------------------------------------------------------------------------------- sending

    def _prepare(self, table_bytes: int) -> None:
        """Write every request that fits one frame."""
        self._blocks = hpack.RequestHeaders.of(self._headers, table_bytes=table_bytes)
        self._requests = [
            frames.request(2 * call + 1, self._block(call), self._message(body))
            if self._sizes[call] <= self._uploads.frame_bytes_max
            else b""
            for call, body in enumerate(self._bodies)
        ]

    def _message(self, body: bytes) -> bytes:
        return frames.grpc_message(body) if self._prefix_bytes else body

    def _block(self, call: int) -> bytes:
        return self._blocks.again if call else self._blocks.first

    def _begin_upload(self, call: int) -> bytes:
        stream = 2 * call + 1
        self._uploads.add(stream, self._message(self._bodies[call]))
        return frames.frame(frames.HEADERS, frames.END_HEADERS, stream, self._block(call)) + self._uploads.send()

    # ----------------------------------------------------------------------------------------------------- receiving

    def _finish(self, stream: int, block: bytes, now: int) -> None:
        status = self._meanings[block] if block in self._meanings else self._read(block)
        started = self._started.pop(stream, None)
        if started is None:
            return
        self._uploads.drop(stream)
        if status == b"0":
            self._tally.latencies.append(now - started)
        else:
            self._tally.fail("no status" if status is None else status.decode("ascii", "replace"))
        if self._answers is not None:
            body = b"".join(self._answers.pop(stream, ()))
            if status == b"0":
                self._tally.bodies.append((self._number, stream >> 1, body[self._prefix_bytes :]))

    def _read(self, block: bytes) -> bytes | None:
        """The gRPC status in a header block. Its meaning is remembered while the server's table stays as it is."""
        changes = self._decoder.changes
        try:
            status = dict(self._decoder.decode(block)).get(_STATUS)
        except ValueError as error:
            raise ProtocolError(f"unreadable headers: {error}") from error
        if self._decoder.changes != changes:
            self._meanings.clear()
        else:
            self._meanings[block] = status
        return status

    def _other(self, kind: int, flags: int, stream: int, payload: bytes, now: int) -> bytes:
        if self._unfinished is not None and kind != frames.CONTINUATION:
            raise ProtocolError("a header block was cut in two by another frame")
        handle = self._by_kind.get(kind)
        # A kind of frame nobody knows must be ignored, so that HTTP/2 can grow.
        return handle(flags, stream, payload, now) if handle else b""

    def _on_data(self, flags: int, stream: int, payload: bytes, now: int) -> bytes:
        self._taken += len(payload)
        if self._answers is not None:
            self._answers.setdefault(stream, []).append(frames.content_of(frames.DATA, flags, payload))
        if flags & frames.END_STREAM:
            self._finish(stream, b"", now)
        return b""

    def _on_headers(self, flags: int, stream: int, payload: bytes, now: int) -> bytes:
        block = frames.content_of(frames.HEADERS, flags, payload)
        if not flags & frames.END_HEADERS:
            self._unfinished = (flags, stream, block)
        elif flags & frames.END_STREAM:
            self._finish(stream, block, now)
        else:
            self._read(block)
        return b""

    def _on_continuation(self, flags: int, stream: int, payload: bytes, now: int) -> bytes:
        if self._unfinished is None or self._unfinished[1] != stream:
            raise ProtocolError("CONTINUATION of nothing")
        first_flags, _, block = self._unfinished
        self._unfinished = None
        plain = first_flags & ~(frames.PADDED | frames.PRIORITY)
        return self._on_headers(plain | flags & frames.END_HEADERS, stream, block + payload, now)

    def _on_reset(self, _flags: int, stream: int, payload: bytes, _now: int) -> bytes:
        # After the trailers a server may reset a stream whose request it did not want to the end: that call is counted.
        self._give_up(stream, f"RST_STREAM {frames.word_of(payload)}")
        return b""

    def _on_settings(self, flags: int, _stream: int, payload: bytes, _now: int) -> bytes:
        if flags & frames.ACK:
            return b""
        said = frames.settings_of(payload)
        if frames.SETTINGS_MAX_CONCURRENT_STREAMS in said:
            # gRPC counts a stream until it has tidied it away, some time after we saw its trailers, and refuses the one
            # too many. Half the allowance never meets that limit.
            self.streams_at_once = max(said[frames.SETTINGS_MAX_CONCURRENT_STREAMS] // 2, 1)
        self._uploads.frame_bytes_max = said.get(frames.SETTINGS_MAX_FRAME_SIZE, self._uploads.frame_bytes_max)
        if frames.SETTINGS_INITIAL_WINDOW_SIZE in said:
            self._uploads.set_stream_window(said[frames.SETTINGS_INITIAL_WINDOW_SIZE])
        table_bytes = said.get(frames.SETTINGS_HEADER_TABLE_SIZE)
        if not self.ready:
            self._prepare(hpack.TABLE_BYTES_DEFAULT if table_bytes is None else table_bytes)
            self.ready = True
        elif table_bytes is not None and table_bytes < hpack.TABLE_BYTES_DEFAULT:
            raise ProtocolError("the header table shrank after requests had been prepared for it")
        return frames.frame(frames.SETTINGS, frames.ACK, 0) + self._uploads.send()

    def _on_ping(self, flags: int, _stream: int, payload: bytes, _now: int) -> bytes:
        return b"" if flags & frames.ACK else frames.frame(frames.PING, frames.ACK, 0, payload)

    def _on_goaway(self, _flags: int, _stream: int, payload: bytes, _now: int) -> bytes:
        code = frames.word_of(payload[4:])
        if code:
            raise ProtocolError(f"the server ended the connection with error {code}: {payload[8:]!r}")
        self.going_away = True
        last = frames.word_of(payload) & frames.STREAM_MAX
        for stream in [each for each in self._started if each > last]:
            self._give_up(stream, "GOAWAY")
        return b""

    def _on_window_update(self, _flags: int, stream: int, payload: bytes, _now: int) -> bytes:
        self._uploads.widen(stream, frames.word_of(payload))
        return self._uploads.send()

    def _on_push(self, _flags: int, _stream: int, _payload: bytes, _now: int) -> bytes:
        raise ProtocolError("a push was promised though pushes were declined")

    def _give_up(self, stream: int, why: str) -> None:
        self._uploads.drop(stream)
        if self._started.pop(stream, None) is not None:
            self._tally.fail(why)
